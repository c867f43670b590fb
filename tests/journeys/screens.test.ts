// Every screen, wide and narrow, in both languages, light and dark: usable with a screen reader, and never wider than
// the window. The small run asks the screen reader's questions at two of the four.
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, signIn, visitor } from '../support/browser.ts';
import { Installation, OWNER } from '../support/installation.ts';
import { until } from '../support/until.ts';
import { signed, sms } from '../support/vonage.ts';

let house: Installation;
let browser: Browser;
let screens: Record<string, string>;

beforeAll(async () => {
  [house, browser] = await Promise.all([Installation.open({ screens: true }), openBrowser()]);
  const api = await house.welcome();
  const article = await api.createArticle({
    body: { title: 'Où est ma commande ?', text: 'Trois jours ouvrés.', language: 'fr' },
  });
  const folder = await api.createFolder({
    body: {
      name: 'Commandes',
      replyMode: 'validation',
      rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
      deadlineSeconds: 3600,
    },
  });
  const { integration, secret } = await api.createWebhook({ body: { name: 'Boutique' } });
  await house.deliver(
    { id: integration.id, secret },
    { from: { email: 'camille@example.com' }, subject: 'Colis', text: 'Bonjour, où est ma commande ?' },
    'colis',
  );
  const waiting = await until('a draft waits', async () => {
    const { items } = await api.listConversations({ query: { place: 'to-approve' } });
    return items[0];
  });
  await api.addFollowUp({
    params: { id: waiting.id },
    body: { mode: 'remind', dueAt: new Date(Date.now() + 86_400_000).toISOString() },
  });
  const number = await api.connectNumber({
    body: {
      channel: 'sms',
      name: 'Mobile',
      number: '+33757000001',
      apiKey: 'acme-key',
      apiSecret: 'api secret',
      signatureSecret: 'a wrong secret',
    },
  });
  const chats = await api.connectNumber({
    body: {
      channel: 'whatsapp',
      name: 'WhatsApp',
      number: '+33757000002',
      apiKey: 'acme-key',
      apiSecret: 'api secret',
      signatureSecret: 'another secret',
    },
  });
  await api.addWhatsappTemplate({
    params: { id: chats.id },
    body: { name: 'suite_de_votre_demande', language: 'fr', body: 'Bonjour {{1}}, votre demande avance.' },
  });
  const refused = signed(sms(), 'acme signature secret');
  await fetch(`${house.url}/inbox/webhooks/sms?${new URLSearchParams(refused)}`);
  screens = {
    inbox: '/mail/inbox',
    'an empty place': '/mail/archived',
    conversation: `/mail/inbox/${waiting.id}`,
    'follow-ups': '/follow-ups',
    outbox: '/outbox',
    channels: '/settings/channels',
    mailbox: '/settings/channels/mailbox',
    'a new number': '/settings/channels/number',
    number: `/settings/channels/${number.id}`,
    templates: `/settings/channels/${chats.id}`,
    webhook: `/settings/channels/${integration.id}`,
    folders: '/settings/folders',
    folder: `/settings/folders/${folder.id}`,
    answers: '/settings/answers',
    knowledge: '/settings/knowledge',
    article: `/settings/knowledge/${article.id}`,
    senders: '/settings/senders',
    'opening hours': '/settings/hours',
    record: '/settings/record',
  };
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await house?.close();
});

const IS_LONG = process.env.TEST_SIZE === 'long';

describe.each([
  { width: 1440, locale: 'fr-FR', colorScheme: 'light' as const, isAudited: true },
  { width: 1024, locale: 'en-GB', colorScheme: 'dark' as const, isAudited: IS_LONG },
  { width: 390, locale: 'fr-FR', colorScheme: 'dark' as const, isAudited: true },
  { width: 390, locale: 'en-GB', colorScheme: 'light' as const, isAudited: IS_LONG },
])('at $width pixels, in $locale, $colorScheme', ({ width, locale, colorScheme, isAudited }) => {
  test('every screen fits and can be used with a screen reader', async () => {
    const { page, faults } = await visitor(browser, house.url, {
      viewport: { width, height: 844 },
      locale,
      colorScheme,
    });
    const problems: Record<string, string[]> = {};
    await page.goto('/sign-in');
    await page.getByRole('heading').first().waitFor();
    problems['sign-in'] = await problemsOf(page, isAudited);
    await signIn(page, OWNER);
    for (const [name, path] of Object.entries(screens)) {
      await page.goto(path);
      await page.locator('main').getByRole('heading').first().waitFor();
      problems[name] = await problemsOf(page, isAudited);
    }
    const found = Object.fromEntries(Object.entries(problems).filter(([, list]) => list.length > 0));
    expect(found).toEqual({});
    expect(faults).toEqual([]);
  }, 120_000);
});

async function problemsOf(page: Page, isAudited: boolean): Promise<string[]> {
  const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
  return [...(overflow > 0 ? [`${overflow} pixels too wide`] : []), ...(isAudited ? await audit(page) : [])];
}

async function audit(page: Page): Promise<string[]> {
  const axe = new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']);
  const { violations } = await axe.analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}
