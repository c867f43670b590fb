import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import type { contract } from '#api/contract/contract.ts';
import type { Answer } from '#api/contract/route.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

type FileView = Answer<(typeof contract)['getConversation']>['messages'][number]['attachments'][number];

let road: Road;
let acme: Company;
let globex: Company;
let maya: Person;
let webhook: { id: string; secret: string };

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  maya = await road.person(acme, 'agent', 'Maya');
  const created = await acme.owner.api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
});

afterAll(() => road?.close());

/** What comes with one message, as the agents' screen lists it. */
async function receive(from: string, files: { name: string; content: Buffer }[]): Promise<FileView[]> {
  const attachments = files.map(({ name, content }) => ({ name, content: content.toString('base64') }));
  await road.deliver(webhook, { from: { email: from }, text: 'Voici', attachments });
  const view = await until('it is recorded', async () => {
    const { items } = await maya.api.listConversations({ query: { place: 'all' } });
    const row = items.find((item) => item.client.contact === from);
    return row && maya.api.getConversation({ params: { id: row.id } });
  });
  return view.messages[0]!.attachments;
}

function download(file: FileView, person: Person, query = ''): Promise<Response> {
  return fetch(`${road.url}/inbox/attachments/${file.id}${query}`, { headers: { cookie: person.cookie } });
}

describe('a file no client needs to send', () => {
  const program = Buffer.from('MZ, says the program');
  let file: FileView;

  beforeAll(async () => {
    [file] = (await receive('virus@example.com', [{ name: 'facture.pdf.exe', content: program }])) as [FileView];
  });

  test('is listed with its reason', () => {
    expect(file).toMatchObject({ name: 'facture.pdf.exe', verdict: 'blocked', verdictReason: expect.any(String) });
  });

  test('is not given to an agent, with the warning read or not', async () => {
    for (const query of ['', '?anyway', '?inline', '?inline&anyway']) {
      const answer = await download(file, maya, query);
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ code: 'attachment.kept-back' });
    }
  });

  test('is given to an admin after the warning, as a download, and that is on record', async () => {
    expect((await download(file, acme.owner)).status).toBe(403);
    const answer = await download(file, acme.owner, '?anyway&inline');
    expect(Buffer.from(await answer.arrayBuffer()).equals(program)).toBe(true);
    expect(answer.headers.get('content-disposition')).toContain('attachment;');
    expect(answer.headers.get('cache-control')).toContain('no-store');
    const { items } = await acme.owner.api.listAuditEvents({ query: { subjectId: file.id } });
    expect(items.map((event) => [event.action, event.actorKind])).toEqual([
      ['attachment.downloaded_anyway', 'person'],
      ['attachment.blocked', 'system'],
    ]);
  });

  test('is not there for another company, whatever its admin has read', async () => {
    expect((await download(file, globex.owner, '?anyway')).status).toBe(404);
  });
});

describe('a picture', () => {
  const photo = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#0a0' } })
      .jpeg()
      .withExif({ IFD0: { Copyright: 'where it was taken' } })
      .toBuffer();

  test('is shown small, as WebP, without what the camera wrote into it', async () => {
    const [file] = await receive('photo@example.com', [{ name: 'photo.jpg', content: await photo(2400, 1200) }]);
    for (const _twice of [1, 2]) {
      const answer = await download(file!, maya, '/preview');
      expect(answer.headers.get('content-type')).toBe('image/webp');
      const shown = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
      expect(shown).toMatchObject({ format: 'webp', width: 1600, height: 800 });
      expect(shown.exif).toBeUndefined();
    }
    expect((await download(file!, globex.owner, '/preview')).status).toBe(404);
  });

  test.each<[string, () => Promise<Buffer>]>([
    ['too large to be decoded', () => photo(9_000, 8_000)],
    ['damaged', async () => (await photo(20, 20)).subarray(0, 300)],
    [
      'of lines, which may fetch',
      async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
  ])('that is %s is not shown, and can be downloaded', async (name, content) => {
    const from = `${name.replaceAll(/\W/g, '-')}@example.com`;
    const [file] = await receive(from, [{ name: 'image', content: await content() }]);
    expect((await download(file!, maya, '/preview')).status).toBe(404);
    expect((await download(file!, maya)).status).toBe(200);
  });
});

test('a contact is listed with what its card says', async () => {
  const content = Buffer.from('BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Camille Martin\r\nTEL:+33612345678\r\nEND:VCARD\r\n');
  const [file] = await receive('card@example.com', [{ name: 'camille.vcf', content }]);
  expect(file).toMatchObject({
    verdict: 'clean',
    card: { kind: 'contact', name: 'Camille Martin', phones: ['+33612345678'] },
  });
});

test('an ordinary file is given to every agent', async () => {
  const content = Buffer.from('a;b;c');
  const [file] = await receive('csv@example.com', [{ name: 'prix.csv', content }]);
  expect(file).toMatchObject({ verdict: 'clean', verdictReason: null });
  expect(Buffer.from(await (await download(file!, maya)).arrayBuffer()).equals(content)).toBe(true);
});
