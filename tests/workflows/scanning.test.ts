import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { contract } from '#api/contract/contract.ts';
import type { Answer } from '#api/contract/route.ts';
import { freePort } from '../../bin/house/ports.ts';
import { Clamd, KNOWN_VIRUS, LARGEST_SCANNED_BYTES } from '../support/clamd.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let clamd: Clamd;
let acme: Company;
let webhook: { id: string; secret: string };

beforeAll(async () => {
  clamd = await Clamd.prepare(await freePort());
  road = await Road.open({ scanner: { host: '127.0.0.1', port: clamd.port } });
  acme = await road.company('acme');
  const created = await acme.owner.api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
}, 120_000);

afterAll(async () => {
  await clamd?.stop();
  await road?.close();
});

test('the files of a message open after a warning until the scanner, who was away, has looked at them', async () => {
  await road.deliver(webhook, {
    from: { email: 'camille@example.com' },
    text: 'Voici',
    attachments: [
      { name: 'prix.csv', content: Buffer.from('a;b;c').toString('base64') },
      { name: 'photo.txt', content: KNOWN_VIRUS.toString('base64') },
      { name: 'grand.txt', content: randomBytes(LARGEST_SCANNED_BYTES * 2).toString('base64') },
      { name: 'facture.exe', content: KNOWN_VIRUS.toString('base64') },
    ],
  });
  expect(await verdicts((files) => files.length === 4)).toEqual([
    'prix.csv unchecked not-scanned',
    'photo.txt unchecked not-scanned',
    'grand.txt unchecked not-scanned',
    'facture.exe blocked program',
  ]);

  await clamd.start();
  expect(await verdicts((files) => files.every(({ verdictReason }) => verdictReason !== 'not-scanned'))).toEqual([
    'prix.csv clean null',
    'photo.txt infected virus',
    'grand.txt unchecked scan-refused',
    'facture.exe blocked program',
  ]);
  const { items } = await acme.owner.api.listAuditEvents({ query: { action: 'attachment.infected' } });
  expect(items.map(({ after }) => after)).toEqual([{ signature: expect.stringContaining('Test.Known') }]);
}, 120_000);

type Files = Answer<(typeof contract)['getConversation']>['messages'][number]['attachments'];

async function verdicts(hold: (files: Files) => boolean): Promise<string[]> {
  const files = await until(
    'the files are listed so',
    async () => {
      const { items } = await acme.owner.api.listConversations({ query: { place: 'all' } });
      const view = items[0] && (await acme.owner.api.getConversation({ params: { id: items[0].id } }));
      const files = view?.messages[0]?.attachments ?? [];
      return hold(files) && files.length > 0 ? files : null;
    },
    60_000,
  );
  return files.map(({ name, verdict, verdictReason }) => `${name} ${verdict} ${verdictReason}`);
}
