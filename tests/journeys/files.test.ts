// A message with files of every kind: an agent sees what they are without opening them, and an admin takes a blocked one
// after a warning.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { zip } from '../support/archives.ts';
import { openBrowser, row, signIn, visitor } from '../support/browser.ts';
import { Installation, OWNER } from '../support/installation.ts';
import { until } from '../support/until.ts';

const INVITATION = [
  'BEGIN:VCALENDAR',
  'METHOD:REQUEST',
  'BEGIN:VEVENT',
  'DTSTART;TZID=Europe/Paris:20261201T100000',
  'DTEND;TZID=Europe/Paris:20261201T113000',
  'SUMMARY:Visite du chantier',
  'LOCATION:12 rue des Lilas',
  'END:VEVENT',
  'END:VCALENDAR',
].join('\r\n');
const PROGRAM = 'MZ, says the program';

let house: Installation;
let browser: Browser;
let page: Page;
let faults: string[];

beforeAll(async () => {
  [house, browser] = await Promise.all([Installation.open({ screens: true }), openBrowser()]);
  const api = await house.welcome();
  const { integration, secret } = await api.createWebhook({ body: { name: 'Boutique' } });
  const photo = await sharp({ create: { width: 600, height: 400, channels: 3, background: '#2a6' } })
    .png()
    .toBuffer();
  const files: [name: string, content: Buffer | string][] = [
    ['chantier.png', photo],
    ['rendez-vous.ics', INVITATION],
    ['plan.pdf.exe', PROGRAM],
    ['devis.zip', zip([{ name: 'devis.pdf', encrypted: true }])],
    ['prix.csv', 'a;b;c'],
  ];
  const attachments = files.map(([name, content]) => ({ name, content: Buffer.from(content).toString('base64') }));
  const message = { from: { email: 'camille@example.com' }, subject: 'Le chantier', text: 'Voici tout.', attachments };
  await house.deliver({ id: integration.id, secret }, message, 'files');
  ({ page, faults } = await visitor(browser, house.url, { timezoneId: 'America/Montreal' }));
  await signIn(page, OWNER);
  await page.goto('/mail/all');
  await row(page, 'Voici tout.').click();
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await house?.close();
});

describe('the files of a message', () => {
  test('are a picture that is seen, and an invitation at the hour of whoever reads', async () => {
    const picture = page.getByAltText('chantier.png');
    await picture.waitFor();
    expect(await picture.getAttribute('src')).toMatch(/\/preview$/);
    const width = () => picture.evaluate((shown) => (shown as unknown as { naturalWidth: number }).naturalWidth);
    await until('the picture is there', width);
    await page.getByText('Visite du chantier').waitFor();
    await page.getByText(/1(er)? décembre 2026.*04:00.*05:30/).waitFor();
  });

  test('that could not be looked into open after a warning', async () => {
    await page.getByText('Non vérifié : l’archive est protégée par un mot de passe.').waitFor();
    await page.getByRole('button', { name: 'Télécharger', exact: true }).click();
    await page.getByRole('dialog').getByText('Ce fichier n’a pas été vérifié').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Annuler' }).click();
  });

  test('that are blocked say why, and an admin has them all the same after a warning', async () => {
    await page.getByText('Bloqué : c’est un programme.').waitFor();
    await page.getByRole('button', { name: 'Télécharger quand même' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('dialog').getByRole('button', { name: 'Télécharger quand même' }).click();
    expect(readFileSync(await (await download).path(), 'utf8')).toBe(PROGRAM);
    expect(faults).toEqual([]);
  });
});
