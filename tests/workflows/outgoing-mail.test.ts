// What goes along with an answer, as the client's mail server sees it.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { forgetUploads, UPLOAD_LIFETIME_MS, Upload } from '#domain/conversations/upload.ts';
import { Answers } from '../support/answers.ts';
import { type Company, type Person, Road } from '../support/road.ts';

let road: Road;
let acme: Company;
let maya: Person;
let answers: Answers;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  maya = await road.person(acme, 'agent', 'Maya');
  answers = new Answers(road, acme, await road.mailbox(acme, 'support@acme.test'));
});

beforeEach(() => {
  road.sink.faults.length = 0;
});

afterAll(() => road?.close());

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('copies of an answer', () => {
  test('reach everybody, and nobody can read who had a blind one', async () => {
    const { from, inState, mails } = await answers.write(maya, {
      cc: ['Tom@Client.com'],
      bcc: ['boss@acme.test', 'tom@client.com'],
    });
    await inState('sent');
    const [sent] = mails();
    expect(sent?.to).toEqual([from, 'tom@client.com', 'boss@acme.test']);
    expect(sent?.source).toMatch(/^Cc: tom@client\.com\r$/m);
    expect(sent?.source).not.toMatch(/boss@acme\.test|^bcc:/im);
  });

  test('that the server refuses are named on the message, which has gone to the others', async () => {
    road.sink.refused.add('gone@client.com');
    const { conversationId, inState } = await answers.write(maya, { bcc: ['gone@client.com'] });
    expect(await inState('sent')).toMatchObject({ refusedRecipients: ['gone@client.com'] });
    const view = await maya.api.getConversation({ params: { id: conversationId } });
    expect(view.messages.at(-1)).toMatchObject({
      bcc: ['gone@client.com'],
      reply: {
        state: 'sent',
        refusedRecipients: ['gone@client.com'],
        lastResponse: expect.stringContaining('User unknown'),
      },
    });
  });

  test('to what is no address are refused before anything is written', async () => {
    await expect(answers.write(maya, { bcc: ['boss at acme'] })).rejects.toMatchObject({
      problem: { status: 422, code: 'reply.not-an-address', detail: expect.stringContaining('“boss at acme”') },
    });
  });
});

describe('files of an answer', () => {
  const bytes = randomBytes(300_000);
  const csv = Buffer.from('nom;prix\r\nété;3,50\n.\r\n..\r\nfrançais;1\r', 'latin1');

  test('arrive byte for byte under their own names, and stand in the thread', async () => {
    const uploadIds = [
      await handIn('Évaluation – n°3 «finale».bin', bytes, 'application/octet-stream'),
      await handIn('tarifs été.csv', csv, 'text/csv'),
      await handIn('lettre.eml', Buffer.from('Subject: été\n\n.\nBonjour'), 'message/rfc822'),
    ];
    const { conversationId, inState, mails } = await answers.write(maya, { uploadIds });
    await inState('sent');
    const received = mails()[0]!.mail.attachments;
    expect(received.map(({ filename }) => filename)).toEqual([
      'Évaluation – n°3 «finale».bin',
      'tarifs été.csv',
      'lettre.eml',
    ]);
    expect(received[0]!.content.equals(bytes)).toBe(true);
    expect(received[1]!.content.equals(csv)).toBe(true);
    expect(received[2]!.content.toString()).toBe('Subject: été\n\n.\nBonjour');
    const view = await maya.api.getConversation({ params: { id: conversationId } });
    expect(view.messages.at(-1)!.attachments).toMatchObject([
      { name: 'Évaluation – n°3 «finale».bin', size: bytes.length },
      { name: 'tarifs été.csv', type: 'text/csv' },
      { name: 'lettre.eml', type: 'message/rfc822' },
    ]);
  });

  test('have the type their content shows, and a name without a path', async () => {
    expect(await (await post('../../logo.txt', png, 'text/plain')).json()).toMatchObject({
      name: 'logo.txt',
      type: 'image/png',
      size: png.length,
    });
  });

  test.each([
    ['by its name', 'facture.pdf.exe', Buffer.from('hello'), 'upload.blocked'],
    [
      'by its content',
      'facture.pdf',
      Buffer.from('\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0', 'latin1'),
      'upload.blocked',
    ],
    ['because it is empty', 'vide.txt', Buffer.alloc(0), 'upload.empty'],
    ['because it is too large', 'film.bin', Buffer.alloc(25_000_001), 'upload.too-large'],
  ])('are refused %s, with a sentence', async (_why, name, content, code) => {
    const answer = await post(name, content, 'application/pdf');
    expect(await answer.json()).toMatchObject({ status: 422, code, detail: expect.stringMatching(/\.$/) });
  });

  test('may have 25 MB in all', async () => {
    const half = randomBytes(13_000_000);
    const uploadIds = [await handIn('a.bin', half), await handIn('b.bin', half)];
    await expect(answers.write(maya, { uploadIds })).rejects.toMatchObject({ problem: { code: 'upload.too-large' } });
  });

  test('go with one answer, of the person who handed them in, unless it is taken back', async () => {
    const tom = await road.person(acme, 'agent', 'Tom');
    const uploadIds = [await handIn('contrat.txt', Buffer.from('signé'), 'text/plain')];
    await expect(answers.write(tom, { uploadIds })).rejects.toMatchObject({ problem: { code: 'upload.gone' } });
    const notBefore = new Date(Date.now() + 3600_000).toISOString();
    const first = await answers.write(maya, { uploadIds, notBefore });
    await expect(answers.write(maya, { uploadIds })).rejects.toMatchObject({ problem: { code: 'upload.gone' } });
    const { uploads } = await tom.api.cancelReply({ params: { id: first.replyId } });
    expect(uploads).toMatchObject([{ id: uploadIds[0], name: 'contrat.txt' }]);
    const second = await answers.write(tom, { uploadIds });
    await second.inState('sent');
    expect(second.mails()[0]!.mail.attachments[0]!.content.toString()).toBe('signé');
  });

  test('that no answer took expire with their bytes, unless another has the same', async () => {
    const alone = await handIn('brouillon.txt', Buffer.from('seul'), 'text/plain');
    const shared = await handIn('contrat-2.txt', Buffer.from('signé'), 'text/plain');
    const rows = await road.db.database.inTenant(acme.tenantId, (em) =>
      em.find(Upload, { id: { $in: [alone, shared] } }),
    );
    const digest = (id: string) => rows.find((row) => row.id === id)!.sha256;
    const muchLater = new Date(Date.now() + 2 * UPLOAD_LIFETIME_MS);
    await road.db.database.inTenant(acme.tenantId, (em) => forgetUploads(em, road.attachments, muchLater));
    expect(
      await road.db.database.inTenant(acme.tenantId, (em) => em.count(Upload, { id: { $in: [alone, shared] } })),
    ).toBe(0);
    expect(await road.attachments.has(acme.tenantId, digest(alone))).toBe(false);
    expect(await road.attachments.has(acme.tenantId, digest(shared))).toBe(true);
  });
});

function post(name: string, content: Buffer, type = 'application/octet-stream'): Promise<Response> {
  const body = new FormData();
  body.set('file', new File([content as Uint8Array<ArrayBuffer>], name, { type }));
  return fetch(`${road.url}/inbox/uploads`, {
    method: 'POST',
    headers: { cookie: maya.cookie, origin: road.url },
    body,
  });
}

async function handIn(name: string, content: Buffer, type?: string): Promise<string> {
  const answer = await post(name, content, type);
  if (!answer.ok) throw new Error(`The upload answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

describe('a picture in the text', () => {
  test('is shown where its mark stands, and the plain text names it', async () => {
    const uploadIds = [await handIn('vue & plan.png', png, 'image/png'), await handIn('autre.png', png, 'image/png')];
    const { inState, mails } = await answers.write(maya, {
      text: 'Voyez :\n[image: vue & plan.png]\nMerci',
      uploadIds,
    });
    await inState('sent');
    const { mail } = mails()[0]!;
    expect(mail.text).toContain('[image: vue & plan.png]');
    const [picture, other] = mail.attachments;
    expect(picture).toMatchObject({
      filename: 'vue & plan.png',
      contentDisposition: 'inline',
      contentType: 'image/png',
    });
    // The parser has put in the part that the text refers to.
    expect(mail.html).toContain('Voyez :<br><img src="data:image/png;base64,');
    expect(other).toMatchObject({ filename: 'autre.png', contentDisposition: 'attachment' });
    expect(other!.cid).toBeUndefined();
  });
});
