// A mailbox connected without a password, lost because its consent was taken back, and reconnected: in a browser.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { ApiClient } from '#api/contract/client.ts';
import type { RelaisContract } from '#api/contract/contract.ts';
import { openBrowser, row, signIn, type Visitor, visitor } from '../support/browser.ts';
import { Dovecot } from '../support/dovecot.ts';
import { Installation, OWNER } from '../support/installation.ts';
import { MailSink } from '../support/mail-sink.ts';
import { mail } from '../support/mails.ts';
import { OAuthServer } from '../support/oauth-server.ts';

const ADDRESS = 'contact@acme.test';

let house: Installation;
let api: ApiClient<RelaisContract>;
let provider: OAuthServer;
let dovecot: Dovecot;
let outgoing: MailSink;
let browser: Browser;
let maya: Visitor;

beforeAll(async () => {
  [provider, outgoing, browser] = await Promise.all([OAuthServer.open(), MailSink.open(), openBrowser()]);
  outgoing.acceptsToken = (user, token) => provider.isGood(user, token);
  dovecot = await Dovecot.open(`${provider.url}/introspect`);
  dovecot.addUser(ADDRESS);
  dovecot.append(ADDRESS, [mail({ from: 'Camille Martin <camille@example.com>', subject: 'Bonjour à tous' })]);
  house = await Installation.open({ screens: true, env: provider.settings(dovecot.port, outgoing.port) });
  api = await house.welcome();
  maya = await visitor(browser, house.url);
  await signIn(maya.page, OWNER);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await house?.close();
  await outgoing?.close();
  await dovecot?.stop();
  await provider?.close();
});

describe('an admin', () => {
  test('who changes their mind at the provider is told what to do, and can begin again', async () => {
    const { page } = maya;
    provider.consents = 'denied';
    await page.goto('/settings/channels/mailbox');
    await page.getByRole('button', { name: 'Connecter avec Google' }).click();
    await page.getByText('Vous n’avez pas donné votre accord chez Google.').waitFor();
    provider.consents = 'all';
  });

  test('connects a mailbox without a password and sees its last mails first', async () => {
    const { page } = maya;
    await page.getByLabel('Adresse e-mail').fill(ADDRESS);
    await page.getByRole('button', { name: 'Connecter avec Google' }).click();
    await page.getByText('Bonjour à tous').waitFor();
    expect(new URL(page.url()).searchParams.has('code')).toBe(false);
    await page.getByRole('button', { name: 'Connecter', exact: true }).click();
    await page.getByRole('heading', { name: 'Canaux' }).waitFor();
    await page.goto('/mail/inbox');
    await row(page, 'Bonjour à tous').waitFor();
  });

  test('is told on every page that it was lost, and has it back with one click', async () => {
    const { page, faults } = maya;
    provider.revoke(ADDRESS);
    dovecot.append(ADDRESS, [mail({ from: 'Tom <tom@example.com>', subject: 'Pendant la panne' })]);
    const { integrations } = await api.listIntegrations();
    await api.syncIntegration({ params: { id: integrations[0]!.id } });
    const notice = page.getByRole('alert').filter({ hasText: `La boîte ${ADDRESS} est à reconnecter` });
    await notice.waitFor();
    await page.goto('/settings/folders');
    await notice.waitFor();
    await page.goto('/settings/channels');
    await page.getByText('Google n’autorise plus Relais à ouvrir cette boîte.').waitFor();
    await notice.getByRole('button', { name: 'Reconnecter' }).click();
    await page.getByText('Boîte reconnectée').waitFor();
    await notice.waitFor({ state: 'detached' });
    await page.goto('/mail/inbox');
    await row(page, 'Pendant la panne').waitFor();
    expect(faults).toEqual([]);
  });
});
