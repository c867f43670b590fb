// From the link that the first start prints to a first real message: an owner sets the company up by hand.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, row, type Visitor, visitor } from '../support/browser.ts';
import { Dovecot, MAIL_PASSWORD } from '../support/dovecot.ts';
import { Installation } from '../support/installation.ts';
import { mail } from '../support/mails.ts';
import { PASSWORD } from '../support/road.ts';

const run = promisify(execFile);
const ADDRESS = 'contact@acme.test';

let house: Installation;
let dovecot: Dovecot;
let browser: Browser;
let maya: Visitor;
let page: Page;

beforeAll(async () => {
  [house, dovecot, browser] = await Promise.all([Installation.open({ screens: true }), Dovecot.open(), openBrowser()]);
  dovecot.addUser(ADDRESS);
  maya = await visitor(browser, house.url);
  page = maya.page;
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await dovecot?.stop();
  await house?.close();
});

describe('an owner on their first visit', () => {
  test('makes the company and their account, and lands where channels are connected', async () => {
    await page.goto(house.welcomeUrl);
    await page.getByLabel('Nom de l’entreprise').fill('Acme');
    await page.getByLabel('Votre nom').fill('Maya Roche');
    await page.getByLabel('Adresse e-mail').fill('maya@acme.test');
    await page.getByLabel('Mot de passe').fill('trop court');
    await page.getByRole('button', { name: 'Ouvrir Relais' }).click();
    expect(page.url()).toContain('/welcome');
    await page.getByLabel('Mot de passe').fill(PASSWORD);
    await page.getByRole('button', { name: 'Ouvrir Relais' }).click();
    await page.getByRole('heading', { name: 'Canaux' }).waitFor();
  });

  test('is told what to change when the mailbox refuses, then sees the last mails sorted, and connects it', async () => {
    dovecot.append(ADDRESS, [
      mail({ from: 'Camille Martin <camille@example.com>', to: ADDRESS, subject: 'Bonjour à tous' }),
      mail({
        from: 'La Gazette <lettre@gazette.example>',
        to: ADDRESS,
        subject: 'La lettre',
        headers: { 'List-Id': '<lettre.gazette.example>', 'List-Unsubscribe': '<https://gazette.example/u>' },
      }),
    ]);
    await page.getByRole('link', { name: 'Connecter une boîte mail' }).first().click();
    await page.getByLabel('Adresse e-mail').fill(ADDRESS);
    await page.getByLabel('Mot de passe').fill('faux');
    await fillServer('Réception', dovecot.port);
    await fillServer('Envoi', house.sink.port);
    await page.getByRole('button', { name: 'Essayer la connexion' }).click();
    await page.getByText('127.0.0.1 a refusé l’identifiant ou le mot de passe.').first().waitFor();

    await page.getByLabel('Mot de passe').fill(MAIL_PASSWORD);
    await page.getByRole('button', { name: 'Essayer la connexion' }).click();
    const sorted = page.getByRole('listitem');
    await sorted.filter({ hasText: 'La lettre' }).getByText('Newsletter').waitFor();
    await sorted.filter({ hasText: 'Bonjour à tous' }).getByText('Non classés').waitFor();
    expect(await house.ask('select 1 from integration')).toEqual([]);

    await page.getByRole('button', { name: 'Connecter', exact: true }).click();
    await page.getByText('contact@acme.test').first().waitFor();
    await page.goto('/mail/inbox');
    await row(page, 'Bonjour à tous').waitFor({ timeout: 60_000 });
    await row(page, 'La lettre').waitFor({ state: 'detached' });
    await page.goto('/mail/newsletters');
    await row(page, 'La lettre').waitFor();
    expect(dovecot.mails(ADDRESS).every(({ seen }) => !seen)).toBe(true);
  });

  test('sees at a glance that mail comes in, and what is wrong when it does not', async () => {
    const health = page.getByTestId('health');
    await health.getByRole('link', { name: 'Tous les canaux vont bien' }).waitFor();
    await health.getByRole('link', { name: /^dernier message il y a/ }).waitFor();
    const [mailbox] = await house.ask<{ id: string }>(`select id from integration where channel = 'email'`);
    await dovecot.stop();
    await page.request.post(`/inbox/integrations/${mailbox!.id}/sync`);
    const trouble = health.getByRole('link', { name: /contact@acme\.test.*127\.0\.0\.1.*prochain essai/ });
    await trouble.waitFor({ timeout: 60_000 });
    await trouble.click();
    await page.waitForURL(`**/settings/channels/${mailbox!.id}`);
    await dovecot.start();
    await page.request.post(`/inbox/integrations/${mailbox!.id}/sync`);
    await page.goto('/settings/channels');
    await page.getByText('Les 2 messages du serveur sont ici.').waitFor({ timeout: 60_000 });
    await page.goto('/mail/inbox');
    await health.getByRole('link', { name: 'Tous les canaux vont bien' }).waitFor({ timeout: 60_000 });
  });

  test('makes a folder with a nested rule, tried on what has arrived before it is saved', async () => {
    await page.goto('/settings/folders/new');
    await page.getByLabel('Nom du dossier').fill('Bonjours');
    const rule = page.getByRole('article', { name: 'Règle 1' });
    await rule.getByLabel('Valeur').fill('rendez-vous');
    await rule.getByRole('button', { name: 'Groupe' }).click();
    await rule.getByLabel('Valeur').nth(1).fill('BONJOUR');
    await rule.getByRole('button', { name: 'Condition', exact: true }).first().click();
    await rule.getByLabel('Valeur').nth(2).fill('a tous');
    await rule.getByRole('button', { name: 'Essayer' }).click();
    await rule.getByText('1 message correspondrait').waitFor();
    await page.getByRole('button', { name: 'Créer un dossier' }).click();
    await page.waitForURL(/settings\/folders\/[0-9a-f-]{36}/);
    const answer = await page.request.get('/inbox/folders');
    const { folders } = (await answer.json()) as { folders: { rules: unknown }[] };
    expect(folders[0]?.rules).toEqual([
      {
        any: [
          { field: 'subject', operator: 'contains', value: 'rendez-vous' },
          {
            all: [
              { field: 'subject', operator: 'contains', value: 'BONJOUR' },
              { field: 'subject', operator: 'contains', value: 'a tous' },
            ],
          },
        ],
      },
    ]);
  });

  test('creates a webhook whose secret is shown once, and whose example call works as it stands', async () => {
    await page.goto('/settings/channels/webhook');
    await page.getByLabel('Nom').fill('Boutique en ligne');
    await page.getByRole('button', { name: 'Créer un webhook' }).click();
    const example = (await page.locator('pre code').textContent()) ?? '';
    const secret = (await page.getByTestId('webhook-secret').textContent()) ?? '';
    expect(secret).toMatch(/\S{32,}/);
    expect(example).toContain(secret);
    const { stdout } = await run('bash', ['-c', example]);
    expect(stdout).toContain('202 Accepted');
    expect(stdout).toContain('{"status":"accepted"}');
    await page.getByRole('button', { name: 'Envoyer un message d’essai' }).click();
    await page.getByRole('status').filter({ hasText: '202' }).waitFor();
    await page.reload();
    expect(await page.getByText(secret).count()).toBe(0);
    await page.goto('/mail/inbox');
    await page.getByTestId('conversation-row').nth(1).waitFor();
    const [{ sealed } = { sealed: '' }] = await house.ask<{ sealed: string }>(
      `select string_agg(row_to_json(credential)::text, ' ') as sealed from credential`,
    );
    expect(sealed).not.toContain(secret);
    expect(sealed).toContain('webhook-secret');
  });

  test('changes the language, and finds what they did in the record', async () => {
    await page.goto('/settings/record');
    await page
      .getByRole('cell', { name: /Maya Roche/ })
      .first()
      .waitFor();
    await page.getByRole('button', { name: /Maya Roche/ }).click();
    await page
      .getByRole('menuitemradio', { name: 'English' })
      .or(page.getByRole('menuitem', { name: 'English' }))
      .click();
    await page.getByRole('link', { name: 'Channels' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
  });

  test('cannot be followed by a second first visitor', async () => {
    const { page: stranger } = await visitor(browser, house.url);
    await stranger.goto(house.welcomeUrl);
    await stranger.getByRole('link', { name: 'Se connecter' }).waitFor();
    expect(await stranger.getByLabel('Nom de l’entreprise').count()).toBe(0);
  });
});

async function fillServer(title: string, port: number): Promise<void> {
  const fields = page.getByRole('group', { name: new RegExp(title) });
  await fields.getByLabel('Serveur').fill('127.0.0.1');
  await fields.getByLabel('Port').fill(String(port));
  await fields.getByLabel('Chiffrement').selectOption('none');
  await fields.getByLabel('Identifiant').fill(ADDRESS);
}

test('the pages reported no error', () => {
  expect(maya.faults.filter((fault) => !/ERR_/.test(fault))).toEqual([]);
});
