// An admin says when the company is open.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, signIn, visitor } from '../support/browser.ts';
import { Installation, OWNER } from '../support/installation.ts';

let house: Installation;
let api: Awaited<ReturnType<Installation['welcome']>>;
let browser: Browser;
let page: Page;
let faults: string[];

beforeAll(async () => {
  [house, browser] = await Promise.all([Installation.open({ screens: true }), openBrowser()]);
  api = await house.welcome();
  ({ page, faults } = await visitor(browser, house.url));
  await signIn(page, OWNER);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await house?.close();
});

const day = (name: string) => page.getByRole('group', { name });

test('the hours, the time zone and the holidays are kept as they were chosen', async () => {
  await page.goto('/settings/hours');
  await page.getByLabel('Samedi : ouverture à').waitFor({ state: 'detached' });
  await day('Samedi').getByRole('button', { name: 'Ajouter une plage : Samedi' }).click();
  await page.getByLabel('Samedi : ouverture à').fill('10:00');
  await page.getByLabel('Samedi : fermeture à').fill('09:00');
  const save = page.getByRole('button', { name: 'Enregistrer' });
  expect(await save.isDisabled()).toBe(true);
  await page.getByText('Fermez après l’heure d’ouverture').waitFor();
  // Midnight at the end of the day.
  await page.getByLabel('Samedi : fermeture à').fill('00:00');
  await day('Lundi').getByRole('button', { name: 'Lundi : retirer 09:00 – 18:00' }).click();
  await day('Lundi').getByText('Fermé').waitFor();
  await page.getByLabel('Fuseau horaire').selectOption('America/Toronto');
  await page.getByLabel('Jour', { exact: true }).fill('2026-12-25');
  await page.getByRole('button', { name: 'Ajouter', exact: true }).click();
  await save.click();
  await save.waitFor({ state: 'detached' });

  await page.reload();
  await page.getByText('vendredi 25 décembre 2026').waitFor();
  expect(await page.getByLabel('Samedi : fermeture à').inputValue()).toBe('00:00');
  expect(await page.getByLabel('Fuseau horaire').inputValue()).toBe('America/Toronto');
  expect(await api.getBusinessHours()).toEqual({
    timeZone: 'America/Toronto',
    days: {
      1: [],
      ...Object.fromEntries([2, 3, 4, 5].map((weekday) => [weekday, [{ from: '09:00', to: '18:00' }]])),
      6: [{ from: '10:00', to: '24:00' }],
    },
    holidays: ['2026-12-25'],
  });
  expect(faults).toEqual([]);
});
