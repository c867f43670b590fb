// What an agent sends along with an answer, and an answer that leaves later.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { ApiClient } from '#api/contract/client.ts';
import type { RelaisContract } from '#api/contract/contract.ts';
import { openBrowser, signIn, type Visitor, visitor } from '../support/browser.ts';
import { Installation, OWNER } from '../support/installation.ts';
import { until } from '../support/until.ts';

let house: Installation;
let browser: Browser;
let api: ApiClient<RelaisContract>;
let webhook: { id: string; secret: string };
let maya: Visitor;
let page: Page;

beforeAll(async () => {
  [house, browser] = await Promise.all([Installation.open({ screens: true }), openBrowser()]);
  api = await house.welcome();
  const created = await api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
  maya = await visitor(browser, house.url);
  page = maya.page;
  await signIn(page, OWNER);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await house?.close();
});

async function openQuestionOf(client: string): Promise<void> {
  await house.deliver(
    webhook,
    { from: { email: client }, subject: `De ${client}`, text: 'Bonjour, un plan ?' },
    client,
  );
  const { id } = await until('the question is here', async () => {
    const { items } = await api.listConversations({ query: { place: 'all' } });
    return items.find((item) => item.subject === `De ${client}`);
  });
  await page.goto(`/mail/all/${id}`);
  await page.getByRole('heading', { name: `De ${client}` }).waitFor();
  await page.keyboard.press('r');
  await answer().waitFor();
}

const answer = () => page.getByRole('textbox', { name: 'Texte de la réponse' });
const send = () => page.getByRole('button', { name: /^Envoyer/ });

test('a blind copy, a file and a pasted picture leave with the answer', async () => {
  await openQuestionOf('camille@example.com');
  await page.getByRole('button', { name: 'Cc/Cci' }).click();
  await page.getByRole('textbox', { name: 'Cci' }).fill('chef@');
  await page.getByText('« chef@ » n’est pas une adresse e-mail.').waitFor();
  expect(await send().isDisabled()).toBe(true);
  await page.getByRole('textbox', { name: 'Cci' }).fill('chef@acme.test');
  await page.getByTestId('attach').setInputFiles([
    { name: 'été.txt', mimeType: 'text/plain', buffer: Buffer.from('Fermé en août.') },
    { name: 'outil.exe', mimeType: 'application/octet-stream', buffer: Buffer.from('MZ') },
  ]);
  await page.getByText('Un programme : les fournisseurs de messagerie le refusent.').waitFor();
  await answer().fill('Voici : ');
  expect(await send().isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Retirer outil.exe' }).click();
  await paste('image.png', PNG);
  expect(await answer().inputValue()).toBe('Voici : [image: image-1.png]');
  await until('both are handed in', () => send().isEnabled());
  await send().click();
  await page.getByText('Envoyée').waitFor();
  const [sent] = house.sink.to('camille@example.com');
  expect(sent?.to).toContain('chef@acme.test');
  expect(sent?.mail.attachments.map(({ filename }) => filename)).toEqual(['image-1.png', 'été.txt']);
  expect(sent?.mail.html).toContain('<img src="data:image/png;base64,');
  await page.getByRole('link', { name: /été\.txt/ }).waitFor();
  expect(maya.faults).toEqual([]);
});

test('an answer for another day stands in thread and outbox, and leaves when it is told to', async () => {
  await openQuestionOf('zoe@example.com');
  await answer().fill('À demain.');
  await page.getByRole('button', { name: 'Plus tard' }).click();
  await page.getByRole('menuitem', { name: /Demain/ }).click();
  await send().click();
  await page
    .getByTestId('delivery')
    .getByText(/Partira demain/)
    .waitFor();
  await page.goto('/outbox?state=on-its-way');
  await page.getByText(/Partira demain/).waitFor();
  expect(house.sink.to('zoe@example.com')).toEqual([]);
  await page.getByRole('button', { name: 'Envoyer maintenant' }).click();
  await until('it has left', () => house.sink.to('zoe@example.com').length === 1);
  expect(maya.faults).toEqual([]);
});

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** As after a screenshot: the picture lies in the clipboard, under the name every browser gives it. */
async function paste(name: string, base64: string): Promise<void> {
  await answer().press('End');
  // As text: what runs in the page knows its types, this file does not.
  await page.evaluate(`(() => {
    const box = document.activeElement;
    const bytes = Uint8Array.from(atob('${base64}'), (character) => character.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], '${name}', { type: 'image/png' }));
    box.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  })()`);
}
