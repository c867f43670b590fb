// Two agents at the same draft, and an agent who uses the keyboard alone.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { ApiClient } from '#api/contract/client.ts';
import type { RelaisContract } from '#api/contract/contract.ts';
import { openBrowser, row, signIn, type Visitor, visitor } from '../support/browser.ts';
import { Installation, OWNER } from '../support/installation.ts';
import { until } from '../support/until.ts';

let house: Installation;
let browser: Browser;
let api: ApiClient<RelaisContract>;
let webhook: { id: string; secret: string };
let maya: Visitor;
let tom: Visitor;

beforeAll(async () => {
  [house, browser] = await Promise.all([Installation.open({ screens: true }), openBrowser()]);
  api = await house.welcome();
  await api.createArticle({ body: { title: 'Où est ma commande ?', text: 'Trois jours ouvrés.', language: 'fr' } });
  await api.createArticle({
    body: { title: 'Commande en retard', text: 'Une recherche est ouverte.', language: 'fr' },
  });
  await api.createFolder({
    body: {
      name: 'Commandes',
      replyMode: 'validation',
      rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
    },
  });
  const created = await api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
  [maya, tom] = await Promise.all([visitor(browser, house.url), visitor(browser, house.url)]);
  // One account at two desks: what matters here is that there are two screens with the same draft.
  await signIn(maya.page, OWNER);
  await signIn(tom.page, OWNER);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await house?.close();
});

async function draftWaitsFor(client: string, subject: string): Promise<string> {
  await house.deliver(
    webhook,
    { from: { email: client, name: client.split('@')[0] }, subject, text: 'Bonjour, où est ma commande ?' },
    client,
  );
  const waiting = await until('a draft waits', async () => {
    const { items } = await api.listConversations({ query: { place: 'to-approve' } });
    return items.find((item) => item.subject === subject);
  });
  return waiting.id;
}

const draft = (page: Page) => page.getByRole('textbox', { name: 'Texte de la proposition' });

test('the second agent to approve is told that it was done, and one mail leaves', async () => {
  const id = await draftWaitsFor('camille@example.com', 'Premier colis');
  for (const { page } of [maya, tom]) {
    await page.goto(`/mail/to-approve/${id}`);
    await draft(page).waitFor();
  }
  // The first one's approval reaches the server while the second one's screen still shows the draft.
  await tom.page.route('**/inbox/events', (route) => route.abort());
  await tom.page.reload();
  await draft(tom.page).waitFor();
  await maya.page.getByRole('button', { name: /Approuver et envoyer/ }).click();
  await maya.page.getByText('Envoyée').waitFor();
  await tom.page.getByRole('button', { name: /Approuver et envoyer/ }).click();
  await tom.page
    .getByText(/a approuvé et envoyé cette proposition/)
    .first()
    .waitFor();
  await tom.page.unroute('**/inbox/events');
  expect(house.sink.to('camille@example.com')).toHaveLength(1);
});

test('an agent opens, has written again, and sends without touching the mouse', async () => {
  const { page } = maya;
  await draftWaitsFor('zoe@example.com', 'Second colis');
  await page.goto('/mail/to-approve');
  await row(page, 'Second colis').waitFor();
  await page.keyboard.press('j');
  await page.locator('[data-conversation]:focus').waitFor();
  await page.keyboard.press('Enter');
  await draft(page).waitFor();
  const before = await draft(page).inputValue();
  await page.getByRole('button', { name: 'Réécrire…' }).press('Enter');
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Réécrire', exact: true }).press('Enter');
  await until('another article was taken', async () => {
    const now = await draft(page).inputValue();
    return now !== '' && now !== before;
  });
  await page.keyboard.press('e');
  await draft(page).press('Control+Enter');
  await page.getByText('Envoyée').waitFor();
  const [sent, ...more] = house.sink.to('zoe@example.com');
  expect(more).toEqual([]);
  expect(sent?.mail.text?.trim()).not.toBe(before.trim());
});

test('a draft that is thrown away sends nothing, and its run ends', async () => {
  const { page } = maya;
  const id = await draftWaitsFor('lea@example.com', 'Troisième colis');
  await page.goto(`/mail/to-approve/${id}`);
  await page.getByRole('button', { name: 'Jeter' }).click();
  await until('the draft is discarded', async () => (await api.getConversation({ params: { id } })).draft === null);
  await until('its run has ended', async () => {
    const { runs } = await api.listSteps({ params: { id } });
    return (await house.runStatus(runs[0]!.runId)) === 'COMPLETED';
  });
  expect(house.sink.to('lea@example.com')).toEqual([]);
});
