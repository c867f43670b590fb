// The main road with all its parts, seen by an agent: a mail comes in by itself and an answer goes out, once.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { ApiClient } from '#api/contract/client.ts';
import type { RelaisContract } from '#api/contract/contract.ts';
import { openBrowser, row, signIn, type Visitor, visitor } from '../support/browser.ts';
import { Dovecot, MAIL_PASSWORD } from '../support/dovecot.ts';
import { Installation, OWNER } from '../support/installation.ts';
import { mail } from '../support/mails.ts';
import { until } from '../support/until.ts';

const ADDRESS = 'support@acme.test';
const READ_EVERY_SECONDS = 10;
const FOLLOW_UP_AFTER_SECONDS = 12;

let house: Installation;
let dovecot: Dovecot;
let browser: Browser;
let api: ApiClient<RelaisContract>;
let maya: Visitor;
let page: Page;

beforeAll(async () => {
  [house, dovecot, browser] = await Promise.all([Installation.open({ screens: true }), Dovecot.open(), openBrowser()]);
  api = await house.welcome();
  await house.neverClose();
  await api.createArticle({ body: { title: 'Où est ma commande ?', text: 'Trois jours ouvrés.', language: 'fr' } });
  await api.createFolder({
    body: {
      name: 'Commandes',
      replyMode: 'validation',
      rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
      deadlineSeconds: 4 * 3600,
      followUpMode: 'remind',
      followUpAfterSeconds: FOLLOW_UP_AFTER_SECONDS,
    },
  });
  dovecot.addUser(ADDRESS);
  await connectMailbox();
  maya = await visitor(browser, house.url);
  page = maya.page;
  await signIn(page, OWNER);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await dovecot?.stop();
  await house?.close();
});

async function connectMailbox(): Promise<void> {
  const server = { host: '127.0.0.1', security: 'none' as const, username: ADDRESS };
  const { id } = await api.tryMailbox({
    body: {
      address: ADDRESS,
      password: MAIL_PASSWORD,
      imap: { ...server, port: dovecot.port },
      smtp: { ...server, port: house.sink.port },
    },
  });
  await until('the mailbox was tried', async () => (await api.getMailboxTrial({ params: { id } })).state === 'passed');
  await api.connectMailbox({
    body: { trialId: id, name: 'Support', since: '2026-01-01', syncEverySeconds: READ_EVERY_SECONDS },
  });
}

/** The client writes; nobody presses anything. */
async function mailArrives(from: string, subject: string): Promise<void> {
  dovecot.append(ADDRESS, [mail({ from: `Camille <${from}>`, subject, id: `${from}.question@example.com` })]);
  await row(page, subject).waitFor({ timeout: 60_000 });
}

async function open(subject: string): Promise<string> {
  await row(page, subject).click();
  await page.getByRole('heading', { name: subject }).waitFor();
  const id = await row(page, subject).getAttribute('data-conversation');
  if (!id) throw new Error('The row names no conversation');
  return id;
}

const draftText = () => page.getByRole('textbox', { name: 'Texte de la proposition' });

describe('a mail in a connected mailbox', () => {
  const CLIENT = 'camille@example.com';
  let conversation: string;

  test('appears by itself, sorted by a rule, with a draft and its countdown', async () => {
    const places = page.getByRole('navigation');
    await mailArrives(CLIENT, 'Mon colis');
    await places.getByRole('link', { name: /^Commandes 1/ }).waitFor();
    await places.getByRole('link', { name: /^À valider 1/ }).waitFor();
    conversation = await open('Mon colis');
    await draftText().waitFor();
    expect(await draftText().inputValue()).toBe('Trois jours ouvrés.');
    await page.getByText('Proposition reprise d’un article, sans modèle').waitFor();
    await page.getByText(/Rappel aux agents dans 3 h 5\d/).waitFor();
  });

  test('tells why it is here, with a link to its run in Temporal', async () => {
    const why = page.getByRole('button', { name: 'Pourquoi est-il ici ?' });
    await why.click();
    await page.getByText('La règle 1 du dossier « Commandes » correspond.').waitFor();
    const { runs } = await api.listSteps({ params: { id: conversation } });
    expect(runs).toHaveLength(1);
    const [temporal] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('link', { name: /Temporal/ }).click(),
    ]);
    await temporal.getByText(runs[0]!.runId).first().waitFor();
    await temporal.getByText('receiveMessage').first().waitFor();
    await temporal.close();
    await why.click();
  });

  test('is answered with the words of the agent, by exactly one mail in its thread', async () => {
    await draftText().fill('Bonjour Camille,\n\nVotre colis arrive demain.');
    await page.getByRole('button', { name: /Envoyer ma version/ }).click();
    await page.getByText('Envoyée').waitFor();
    const [sent, ...more] = house.sink.to(CLIENT);
    expect(more).toEqual([]);
    expect(sent?.mail).toMatchObject({
      subject: 'Re: Mon colis',
      inReplyTo: `<${CLIENT}.question@example.com>`,
      references: `<${CLIENT}.question@example.com>`,
    });
    expect(sent?.mail.text).toContain('Votre colis arrive demain.');
    expect(sent?.mail.text).not.toContain('Trois jours');
    const { runs } = await api.listSteps({ params: { id: conversation } });
    for (const { runId } of runs) {
      await until(`${runId} has completed`, async () => (await house.runStatus(runId)) === 'COMPLETED');
    }
  });

  test('has its follow-up fire although everything was restarted meanwhile', async () => {
    const { followUps } = await api.getConversation({ params: { id: conversation } });
    expect(followUps).toMatchObject([{ mode: 'remind', state: 'armed' }]);
    await house.restart();
    await page.getByRole('link', { name: /^Relances dues 1/ }).waitFor({ timeout: 60_000 });
    await page.getByRole('link', { name: /^Relances dues/ }).click();
    await page.getByRole('heading', { name: 'Relances' }).waitFor();
    await page.getByRole('main').getByText('Mon colis').waitFor();
    expect(house.sink.to(CLIENT)).toHaveLength(1);
  });
});

describe('a client who answers in time', () => {
  const CLIENT = 'zoe@example.com';

  test('cancels the follow-up', async () => {
    await page.goto('/mail/inbox');
    await mailArrives(CLIENT, 'Ma seconde commande');
    const conversation = await open('Ma seconde commande');
    await draftText().waitFor();
    await page.getByRole('button', { name: /Approuver et envoyer/ }).click();
    await page.getByText('Envoyée').waitFor();
    await page.getByRole('button', { name: 'Annuler la relance' }).first().waitFor();
    const [sent] = house.sink.to(CLIENT);
    dovecot.append(ADDRESS, [
      mail({
        from: CLIENT,
        subject: 'Re: Ma seconde commande',
        text: 'Merci, c’est parfait !',
        headers: { 'In-Reply-To': sent!.mail.messageId! },
      }),
    ]);
    await page.getByText('Merci, c’est parfait !').first().waitFor({ timeout: 60_000 });
    const { followUps, messages } = await api.getConversation({ params: { id: conversation } });
    expect(followUps).toMatchObject([{ state: 'cancelled' }]);
    expect(messages.map(({ direction }) => direction)).toEqual(['inbound', 'outbound', 'inbound']);
    const followUp = `tenant/${(await api.getMe()).tenant.id}/follow-up/${followUps[0]!.id}`;
    await until('its run has ended', async () => (await house.runStatus(followUp)) === 'COMPLETED');
    expect(house.sink.to(CLIENT)).toHaveLength(1);
  });
});

test('the pages reported no error but the connections that were cut by the restart', () => {
  const cut = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|50[234]/;
  expect(maya.faults.filter((fault) => !cut.test(fault))).toEqual([]);
});
