import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Problem } from '#api/contract/route.ts';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Message } from '#domain/conversations/message.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { signWebhook, verifyWebhook } from '#domain/integrations/webhook-signature.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let acme: Company;
let globex: Company;
let webhook: { id: string; secret: string };
const message = { from: { email: 'camille@example.com' }, text: 'Bonjour' };

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  const created = await acme.owner.api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
});

afterAll(() => road?.close());

const now = () => Math.floor(Date.now() / 1000);

function send(body: string, headers: Record<string, string>, id = webhook.id): Promise<Response> {
  return fetch(`${road.url}/inbox/webhooks/custom/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

function receipts(): Promise<number> {
  return road.db.database.inTenant(acme.tenantId, (em) => em.count(Receipt, {}));
}

describe('a webhook call', () => {
  const body = JSON.stringify(message);
  test.each([
    ['without a signature', () => ({}), 'signature.missing'],
    ['with a malformed one', () => ({ 'relais-signature': 'nonsense' }), 'signature.malformed'],
    [
      'signed with another secret',
      () => ({ 'relais-signature': signWebhook('whsec_other', body, now()) }),
      'signature.wrong',
    ],
    [
      'signed for other bytes',
      () => ({ 'relais-signature': signWebhook(webhook.secret, `${body} `, now()) }),
      'signature.wrong',
    ],
    [
      'signed ten minutes ago',
      () => ({ 'relais-signature': signWebhook(webhook.secret, body, now() - 600) }),
      'signature.stale',
    ],
    [
      'signed for the future',
      () => ({ 'relais-signature': signWebhook(webhook.secret, body, now() + 600) }),
      'signature.stale',
    ],
  ])('%s is refused and keeps nothing', async (_name, headers, code) => {
    const before = await receipts();
    const answer = await send(body, headers() as Record<string, string>);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code, detail: expect.stringMatching(/sign/i) });
    expect(await receipts()).toBe(before);
  });

  test('to an address that is no webhook is refused', async () => {
    for (const id of ['nonsense', '01a208c0-32f5-7079-b92d-4a981a4582c8']) {
      expect((await send(body, { 'relais-signature': signWebhook(webhook.secret, body, now()) }, id)).status).toBe(404);
    }
  });

  test.each([
    [{ text: 'Bonjour' }, 'body.from'],
    [{ from: {}, text: 'Bonjour' }, 'body.from'],
    [{ from: { email: 'not an address' }, text: 'Bonjour' }, 'body.from.email'],
    [{ from: { email: 'a@example.com' }, text: '' }, 'body.text'],
    [
      { from: { email: 'a@example.com' }, text: 'x', attachments: [{ name: 'a', content: '%%%' }] },
      'body.attachments.0.content',
    ],
  ])('that does not have the documented form is told what to change: %o', async (wrong, path) => {
    const answer = await road.deliver(webhook, wrong);
    expect(answer.status).toBe(400);
    const paths = ((await answer.json()) as Problem).errors?.map((fault) => fault.path);
    expect(paths).toContain(path);
  });

  test('repeated with its idempotency key is accepted and kept once', async () => {
    const headers = { 'idempotency-key': 'order-1' };
    const first = await road.deliver(webhook, message, headers);
    const second = await road.deliver(webhook, message, headers);
    expect([await first.json(), await second.json()]).toEqual([{ status: 'accepted' }, { status: 'already-accepted' }]);
    expect(await road.db.database.inTenant(acme.tenantId, (em) => em.count(Receipt, { sourceId: 'order-1' }))).toBe(1);
  });

  test('made again as it was, without a key, is kept once', async () => {
    const body = JSON.stringify({ from: { email: 'replay@example.com' }, text: 'Une seule fois' });
    const headers = { 'relais-signature': signWebhook(webhook.secret, body, now()) };
    const answers = [await send(body, headers), await send(body, headers)];
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      { status: 'accepted' },
      { status: 'already-accepted' },
    ]);
  });

  test('of a second person joins the conversation the sender names', async () => {
    const phones = ['+33612345678', '+33687654321', '+33687654321'];
    await Promise.all(
      phones.map((phone, index) =>
        road.deliver(webhook, { from: { phone }, text: `Étape ${index}`, conversation: 'ticket-8' }),
      ),
    );
    await until('all three are recorded', () =>
      road.db.database.inTenant(acme.tenantId, async (em) => {
        const messages = await em.find(Message, { text: { $like: 'Étape %' } });
        const [conversation, ...others] = await em.find(Conversation, {
          id: { $in: messages.map((row) => row.conversationId) },
        });
        // Counted one by one, although they came at once.
        return others.length === 0 && conversation?.messageCount === 3;
      }),
    );
  });

  test('brings its attachment, named by no path and typed by its content', async () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    await road.deliver(webhook, {
      from: { email: 'files@example.com' },
      text: 'Voici la photo',
      attachments: [{ name: '../../etc/photo.jpg', content: png.toString('base64') }],
    });
    const conversation = await until('it is recorded', async () => {
      const { items } = await acme.owner.api.listConversations({ query: { place: 'all' } });
      const row = items.find((item) => item.client.contact === 'files@example.com');
      return row && acme.owner.api.getConversation({ params: { id: row.id } });
    });
    const [file] = conversation.messages[0]!.attachments;
    expect(file).toMatchObject({ name: 'photo.jpg', type: 'image/png', size: png.length });
    const download = await fetch(`${road.url}/inbox/attachments/${file!.id}`, {
      headers: { cookie: acme.owner.cookie },
    });
    expect(Buffer.from(await download.arrayBuffer()).equals(png)).toBe(true);
    expect(download.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''photo.jpg");
    expect(download.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await fetch(`${road.url}/inbox/attachments/${file!.id}`)).status).toBe(401);
    expect(
      (await fetch(`${road.url}/inbox/attachments/${file!.id}`, { headers: { cookie: globex.owner.cookie } })).status,
    ).toBe(404);
  });

  test('groups messages of one conversation name into one conversation', async () => {
    const thread = { from: { email: 'thread@example.com' }, conversation: 'ticket-7' };
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => road.deliver(webhook, { ...thread, text: `Message ${index}` })),
    );
    await until('all ten are recorded', () =>
      road.db.database.inTenant(acme.tenantId, async (em) => {
        const messages = await em.find(Message, { text: { $like: 'Message %' } });
        return messages.length === 10 && new Set(messages.map((row) => row.conversationId)).size === 1;
      }),
    );
  });
});

describe('the settings of a webhook', () => {
  test('show a curl example that works as it is pasted', async () => {
    const { example, integration } = await acme.owner.api.createWebhook({ body: { name: 'Exemple' } });
    const { stdout } = await promisify(execFile)('bash', ['-c', example.curl]);
    expect(stdout).toContain('202 Accepted');
    await until('its message is there', () =>
      road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { integrationId: integration.id })),
    );
  });

  test('sign and deliver a test call', async () => {
    expect(await acme.owner.api.callWebhook({ params: { id: webhook.id } })).toMatchObject({ status: 202 });
  });

  test('never show the secret again, and keep the one before working while it is rotated', async () => {
    const { secret } = await acme.owner.api.rotateWebhookSecret({ params: { id: webhook.id } });
    const listed = JSON.stringify(await acme.owner.api.listIntegrations());
    expect(listed).not.toContain(secret);
    await until(
      'both secrets are taken',
      async () => (await road.deliver({ ...webhook, secret }, message)).status === 202,
    );
    expect((await road.deliver(webhook, message)).status).toBe(202);
    await road.db.owner.query(
      `update credential set expires_at = now() - interval '1 minute' where name = 'webhook-secret-previous'`,
    );
    await until('the old one is over', async () => (await road.deliver(webhook, message)).status === 401);
    webhook = { ...webhook, secret };
  });

  test('take a removed webhook off the air', async () => {
    const gone = await acme.owner.api.createWebhook({ body: { name: 'Éphémère' } });
    const address = { id: gone.integration.id, secret: gone.secret };
    expect((await road.deliver(address, message)).status).toBe(202);
    await acme.owner.api.removeIntegration({ params: { id: address.id } });
    await until('it is gone', async () => (await road.deliver(address, message)).status === 404);
  });
});

describe('the signature', () => {
  test('holds for exactly the bytes, time and secret it was made with', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ minLength: 1 }),
        fc.nat(4_000_000_000),
        (bytes, secret, at) => {
          const body = Buffer.from(bytes);
          const header = signWebhook(secret, body, at);
          expect(verifyWebhook(header, body, ['other', secret], at)).toBe('good');
          expect(verifyWebhook(header, Buffer.concat([body, Buffer.from('x')]), [secret], at)).toBe('wrong');
          expect(verifyWebhook(header, body, [`${secret}x`], at)).toBe('wrong');
          expect(verifyWebhook(header, body, [secret], at + 301)).toBe('stale');
        },
      ),
    );
  });

  test('is the documented one', () => {
    const expected = createHmac('sha256', 'whsec').update('1700000000.{"a":1}').digest('hex');
    expect(signWebhook('whsec', '{"a":1}', 1_700_000_000)).toBe(`t=1700000000,v1=${expected}`);
  });

  test('never throws, whatever the header says', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(verifyWebhook(header, Buffer.from('x'), ['secret'], 1)).not.toBe('good');
      }),
    );
  });
});
