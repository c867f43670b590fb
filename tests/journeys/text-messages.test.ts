// A day of SMS and WhatsApp: an admin connects both numbers, a client writes, an agent sees what the answer costs and
// how far it came, and a call that was refused is let in once the secret is right.
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { ApiClient } from '#api/contract/client.ts';
import type { RelaisContract } from '#api/contract/contract.ts';
import { openBrowser, row, signIn, visitor } from '../support/browser.ts';
import { Installation, OWNER } from '../support/installation.ts';
import { until } from '../support/until.ts';
import { signed, sms, token, VonageServer, whatsapp } from '../support/vonage.ts';

const SECRET = 'acme signature secret';
let vonage: VonageServer;
let house: Installation;
let browser: Browser;
let api: ApiClient<RelaisContract>;
let page: Page;
let faults: string[];

beforeAll(async () => {
  vonage = await VonageServer.open();
  const env = { VONAGE_URL: vonage.url };
  [house, browser] = await Promise.all([Installation.open({ screens: true, env }), openBrowser()]);
  api = await house.welcome();
  ({ page, faults } = await visitor(browser, house.url));
  await signIn(page, OWNER);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await house?.close();
  await vonage?.close();
});

async function text(parameters: Record<string, string>, secret = SECRET): Promise<number> {
  const query = new URLSearchParams(signed(parameters, secret));
  return (await fetch(`${house.url}/inbox/webhooks/sms?${query}`)).status;
}

async function chat(path: string, fields: Record<string, unknown>): Promise<number> {
  const body = JSON.stringify(fields);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token(body, SECRET)}` };
  return (await fetch(`${house.url}/inbox/webhooks/${path}`, { method: 'POST', headers, body })).status;
}

describe('a number', () => {
  test('is connected in the settings, which show where Vonage is to call and never a secret again', async () => {
    await page.goto('/settings/channels/number');
    await page.getByLabel('Numéro', { exact: true }).fill('+33 7 57 00 00 01');
    await page.getByLabel('Nom').fill('Mobile du support');
    await page.getByLabel('Clé d’API').fill('acme-key');
    await page.getByLabel('Secret d’API').fill('api secret');
    await page.getByLabel('Secret de signature').fill('a wrong secret');
    expect(await page.getByLabel('Algorithme de signature').inputValue()).toBe('sha256');
    await page.getByRole('button', { name: 'Connecter' }).click();
    await page.getByText(`${house.url}/inbox/webhooks/sms/status`).waitFor();
    expect(await page.getByRole('button', { name: 'Copier' }).count()).toBe(2);
    const listed = JSON.stringify(await api.listIntegrations());
    expect(listed).toContain('+33757000001');
    for (const secret of ['api secret', 'a wrong secret']) expect(listed).not.toContain(secret);
  });

  test('whose signature secret was wrong shows what it refused, and lets it in once it is right', async () => {
    expect(await text(sms({ msisdn: '33612345678', text: 'Mon compte ne fonctionne pas' }))).toBe(401);
    await page.goto('/settings/channels');
    const refused = page.getByTestId('quarantine');
    await refused.getByText('La signature ne correspond pas').waitFor();
    await page.getByRole('link', { name: 'Mobile du support' }).click();
    await page.getByLabel('Secret de signature').fill(SECRET);
    await page.getByRole('button', { name: 'Enregistrer' }).click();
    await page.goto('/settings/channels');
    await refused.getByRole('button', { name: 'Réessayer' }).click();
    await refused.waitFor({ state: 'detached' });
    await page.goto('/mail/inbox');
    await row(page, 'Mon compte ne fonctionne pas').waitFor();
  });
});

describe('an answer', () => {
  test('by SMS shows what it costs before it is sent, and how far it came', async () => {
    await page.goto('/mail/inbox');
    await row(page, 'Mon compte ne fonctionne pas').click();
    await page.getByRole('button', { name: 'Réponse' }).first().click();
    const box = page.getByLabel('Texte de la réponse');
    await box.fill('a'.repeat(161));
    await page.getByTestId('sms-size').getByText('2 SMS · 145 caractères restants').waitFor();
    await box.fill('Bonjour, c’est réglé.');
    await page
      .getByTestId('sms-size')
      .getByText(/^1 SMS · 49 .*70 par SMS/)
      .waitFor();
    await page.getByRole('button', { name: 'Envoyer' }).click();
    const [sent] = await until(
      'it has left',
      () => vonage.to('+33612345678').length === 1 && vonage.to('+33612345678'),
    );
    const delivery = page.getByTestId('delivery').last();
    await delivery.getByText('Envoyée').waitFor();
    const { uuid: message_uuid, to, from, client_ref } = sent!;
    const receipt = { message_uuid, to, from, client_ref, channel: 'sms', status: 'delivered' };
    expect(await chat('sms/status', receipt)).toBe(200);
    await delivery.getByText('Distribuée').waitFor();
  });

  test('by WhatsApp says until when it may be written, and why not after that', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await api.connectNumber({
      body: {
        channel: 'whatsapp',
        name: 'WhatsApp',
        number: '+33757000001',
        apiKey: 'acme-key',
        applicationId: '0f5c1b3a-6f4a-4c0e-9c67-2d6a54f4b8f1',
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        signatureSecret: SECRET,
      },
    });
    const from = '33612345679';
    expect(await chat('whatsapp', whatsapp({ from, text: 'Une question', profile: { name: 'Tom' } }))).toBe(200);
    await openQuestion();
    await page.getByText('réponse libre possible jusqu’au').waitFor();
    await house.ask(`update conversation set last_inbound_at = now() - interval '25 hours' where channel = 'whatsapp'`);
    await openQuestion();
    await page.getByText('WhatsApp n’accepte plus de réponse libre').waitFor();
    await page.getByText('Ce numéro n’a pas encore de modèle').waitFor();
    expect(await page.getByLabel('Texte de la réponse').count()).toBe(0);
  });

  test('by WhatsApp is made from a template after that, which an admin copies into the settings', async () => {
    await page.getByRole('link', { name: 'Ajouter un modèle' }).click();
    await page.getByRole('button', { name: 'Ajouter un modèle' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Nom du modèle').fill('suite_de_votre_demande');
    await dialog.getByLabel('Texte approuvé').fill('Bonjour {{1}}, votre demande {{3}} avance.');
    await dialog.getByRole('button', { name: 'Ajouter' }).click();
    await dialog.getByText('Numérotez les champs à partir de {{1}}').waitFor();
    await dialog.getByLabel('Texte approuvé').fill('Bonjour {{1}}, votre demande {{2}} avance.');
    await dialog.getByRole('button', { name: 'Ajouter' }).click();
    await page.getByTestId('templates').getByText('Bonjour {{1}}, votre demande {{2}} avance.').waitFor();

    await openQuestion();
    const send = page.getByTestId('template-form').getByRole('button', { name: 'Envoyer' });
    await page.getByLabel('Champ 1').fill('Tom');
    await page.getByLabel('Champ 2').fill('#1     2');
    await page.getByText('pas plus de quatre espaces de suite').waitFor();
    expect(await send.isDisabled()).toBe(true);
    await page.getByLabel('Champ 2').fill('#12');
    const text = 'Bonjour Tom, votre demande #12 avance.';
    await page.getByTestId('template-text').getByText(text).waitFor();

    // Scheduled and taken back, it is filled in as before.
    await page.getByRole('button', { name: 'Plus tard' }).click();
    await page.getByRole('menuitem').first().click();
    await send.click();
    await page.getByTestId('delivery').last().getByRole('button', { name: 'Annuler' }).click();
    await page.getByRole('button', { name: 'Réponse' }).first().click();
    await page.getByTestId('template-text').getByText(text).waitFor();

    await send.click();
    const [sent] = await until('it has left', () => vonage.to('+33612345679').length > 0 && vonage.to('+33612345679'));
    expect(sent).toMatchObject({
      message_type: 'template',
      template: { name: 'suite_de_votre_demande', parameters: ['Tom', '#12'] },
      whatsapp: { locale: 'fr' },
    });
    await page.getByTestId('delivery').last().getByText('Envoyée').waitFor();
    const answer = page.getByRole('article').last();
    await answer.getByText(text).waitFor();
    await answer.getByText('modèle suite_de_votre_demande').waitFor();
    // The call that was refused on purpose is said by the browser as well.
    expect(faults).toEqual([]);
  });
});

async function openQuestion(): Promise<void> {
  await page.goto('/mail/inbox');
  await row(page, 'Une question').click();
  await page.getByRole('button', { name: 'Réponse' }).first().click();
}
