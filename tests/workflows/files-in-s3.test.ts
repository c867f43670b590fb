// The road of a file that lies in S3: in with a message, out to an agent, out with an answer.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { placeOf } from '#domain/attachments/attachment-store.ts';
import { Attachment, Message } from '#domain/conversations/message.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { Answers } from '../support/answers.ts';
import { mail } from '../support/mails.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { S3Server } from '../support/s3-server.ts';
import { until } from '../support/until.ts';

let s3: S3Server;
let road: Road;
let acme: Company;
let globex: Company;
let maya: Person;
let mailbox: string;
let answers: Answers;

beforeAll(async () => {
  s3 = await S3Server.open();
  road = await Road.open({ attachments: s3.store() });
  acme = await road.company('acme');
  globex = await road.company('globex');
  maya = await road.person(acme, 'agent', 'Maya');
  mailbox = await road.mailbox(acme, 'support@acme.test');
  answers = new Answers(road, acme, mailbox);
});

beforeEach(() => {
  s3.isAway = false;
  s3.faults.length = 0;
});

afterAll(async () => {
  await road?.close();
  await s3?.close();
});

function withFile(content: Buffer, name = 'facture.bin', type = 'application/octet-stream'): string {
  const file = [
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Voici',
    '--b',
    `Content-Type: ${type}`,
    `Content-Disposition: attachment; filename="${name}"`,
    'Content-Transfer-Encoding: base64',
    '',
    content.toString('base64').replaceAll(/.{76}/g, '$&\r\n'),
    '--b--',
  ];
  const from = `camille-${newId().slice(-8)}@example.com`;
  return mail({ from, headers: { 'Content-Type': 'multipart/mixed; boundary="b"' }, text: file.join('\r\n') });
}

async function fileOf(receiptId: string): Promise<Attachment> {
  await road.runOf(acme, receiptId);
  return road.db.database.inTenant(acme.tenantId, async (em) => {
    const message = await em.findOneOrFail(Message, { receiptId });
    return em.findOneOrFail(Attachment, { messageId: message.id });
  });
}

const receive = async (raw: string) => fileOf(await road.receiveMail(acme, mailbox, raw));

function download(file: { id: string }, person: Person, rest = ''): Promise<Response> {
  return fetch(`${road.url}/inbox/attachments/${file.id}${rest}`, { headers: { cookie: person.cookie } });
}

const placeOfContent = (content: Buffer) => placeOf(acme.tenantId, createHash('sha256').update(content).digest('hex'));

describe("a client's file", () => {
  test('lies in the bucket and is given byte for byte to agents of its company', async () => {
    const content = randomBytes(2_000_000);
    const file = await receive(withFile(content));
    expect(s3.keys()).toContain(placeOfContent(content));
    const answer = await download(file, maya);
    expect(answer.headers.get('content-disposition')).toContain('facture.bin');
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
    expect((await download(file, globex.owner)).status).toBe(404);
  });

  test('that is a picture is shown small', async () => {
    const picture = await sharp({ create: { width: 30, height: 20, channels: 3, background: '#0a0' } })
      .jpeg()
      .toBuffer();
    const file = await receive(withFile(picture, 'photo.jpg', 'image/jpeg'));
    const answer = await download(file, maya, '/preview');
    const shown = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
    expect(shown).toMatchObject({ format: 'webp', width: 30, height: 20 });
    expect(s3.keys()).toContain(`${placeOfContent(picture)}.preview.webp`);
  });

  test('is waited for while the store is away, and comes in whole', async () => {
    const content = randomBytes(1_000);
    s3.isAway = true;
    s3.calls.length = 0;
    const receiptId = await road.receiveMail(acme, mailbox, withFile(content));
    await until('it has been tried in vain', () => s3.calls.length >= 6);
    s3.isAway = false;
    const file = await fileOf(receiptId);
    expect(Buffer.from(await (await download(file, maya)).arrayBuffer()).equals(content)).toBe(true);
  });

  test('is refused for now while the store is away, and no browser keeps that', async () => {
    const file = await receive(withFile(randomBytes(1_000)));
    s3.isAway = true;
    const answer = await download(file, maya);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('cache-control') ?? '').not.toContain('max-age');
    expect(await answer.json()).toMatchObject({
      code: 'store.unavailable',
      detail: expect.stringContaining('try again'),
    });
  });

  test('that is lost is told so', async () => {
    const content = randomBytes(1_000);
    const file = await receive(withFile(content));
    await s3.bucket.remove(placeOfContent(content));
    const answer = await download(file, maya);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      code: 'attachment.lost',
      detail: expect.stringContaining('“facture.bin”'),
    });
  });

  test('that breaks off is not taken for the whole', async () => {
    const file = await receive(withFile(randomBytes(1_000_000)));
    s3.faults.push('breaks-off');
    await expect(download(file, maya).then((answer) => answer.arrayBuffer())).rejects.toThrow();
  });

  test('whose reader goes away is read no further', async () => {
    const content = randomBytes(100);
    const file = await receive(withFile(content));
    // More than all buffers on the way hold.
    await s3.bucket.put(placeOfContent(content), randomBytes(30_000_000));
    const before = await s3.connections;
    const reader = new AbortController();
    const answer = await fetch(`${road.url}/inbox/attachments/${file.id}`, {
      headers: { cookie: maya.cookie },
      signal: reader.signal,
    });
    expect(answer.status).toBe(200);
    reader.abort();
    await until('the connection to the store is closed', async () => (await s3.connections) < before);
  });
});

describe('a file of an answer', () => {
  const content = randomBytes(400_000);

  async function post(): Promise<Response> {
    const body = new FormData();
    body.set('file', new File([content as Uint8Array<ArrayBuffer>], 'contrat.bin'));
    const headers = { cookie: maya.cookie, origin: road.url };
    return fetch(`${road.url}/inbox/uploads`, { method: 'POST', headers, body });
  }

  const handIn = async () => ((await (await post()).json()) as { id: string }).id;

  test('goes from the bucket to the client', async () => {
    const { inState, mails } = await answers.write(maya, { uploadIds: [await handIn()] });
    await inState('sent');
    expect(mails()[0]!.mail.attachments[0]!.content.equals(content)).toBe(true);
    expect(s3.keys()).toContain(placeOfContent(content));
  });

  test('is refused for now while the store is away', async () => {
    s3.isAway = true;
    const answer = await post();
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'store.unavailable' });
  });

  test('is waited for while the store is away, and the answer leaves once', async () => {
    const uploadIds = [await handIn()];
    const held = s3.hold((call) => call === `HEAD ${placeOfContent(content)}`);
    const { inState, row, mails } = await answers.write(maya, { uploadIds });
    await held.reached;
    s3.isAway = true;
    held.release();
    await until('it has been tried', async () => (await row()).failure === 'store-unavailable');
    s3.isAway = false;
    await inState('sent');
    expect(mails()).toHaveLength(1);
  });

  test('that breaks off on its way breaks off the mail, which leaves whole at the next try', async () => {
    const uploadIds = [await handIn()];
    const held = s3.hold((call) => call === `GET ${placeOfContent(content)}`);
    const { inState, row, mails } = await answers.write(maya, { uploadIds });
    await held.reached;
    s3.faults.push('breaks-off');
    held.release();
    await until('the first try has failed', async () => (await row()).failure === 'store-unavailable');
    await inState('sent');
    expect(mails()).toHaveLength(1);
    expect(mails()[0]!.mail.attachments[0]!.content.equals(content)).toBe(true);
  });
});
