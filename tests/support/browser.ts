// A person at a browser: headless Chromium on the built screens. Whatever the page reports as an error fails the test
// that looks at `faults`.
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { needDebianPackage } from '../../bin/house/debian-tools.ts';
import { PASSWORD } from './road.ts';

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function openBrowser(): Promise<Browser> {
  const executablePath = await needDebianPackage('/usr/bin/chromium', 'chromium');
  return chromium.launch({ executablePath, args: QUIET });
}

export type Visitor = { page: Page; faults: string[] };

/** A browser of their own, in French unless told otherwise. */
export async function visitor(
  browser: Browser,
  baseURL: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    // Where a new company lies: late in the evening another zone would call its morning by another day.
    timezoneId: 'Europe/Paris',
    baseURL,
    locale: 'fr-FR',
    viewport: { width: 1440, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return { page, faults };
}

export async function signIn(page: Page, email: string): Promise<void> {
  await page.goto('/sign-in');
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.locator('button[type=submit]').click();
  await page.waitForURL('**/mail/**');
}

/** The line of a conversation in the list. */
export function row(page: Page, words: string) {
  return page.getByTestId('conversation-row').filter({ hasText: words });
}
