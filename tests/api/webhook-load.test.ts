// What a webhook may name and how much it may send: files by address, the same message many times at once, too many calls.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { Message } from '#domain/conversations/message.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { signWebhook } from '#domain/integrations/webhook-signature.ts';
import { PROJECT_ROOT } from '../../bin/house/home.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

const LONG = process.env.TEST_SIZE === 'long';
const MESSAGES = LONG ? 1_000 : 60;
const TIMES = 3;
const CALLS_AT_ONCE = 180;
const CALLS_PER_MINUTE = MESSAGES * TIMES;
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

type Webhook = { id: string; secret: string };

let files: Server;
let asked: string[] = [];
let road: Road;
let acme: Company;

beforeAll(async () => {
  files = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/photo') response.end(PNG);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => files.once('listening', resolve));
  road = await Road.open({ filesOrigin: filesUrl(), webhookCallsPerMinute: CALLS_PER_MINUTE });
  acme = await road.company('acme');
});

afterAll(async () => {
  await road?.close();
  files?.close();
});

function filesUrl(host = '127.0.0.1'): string {
  return `http://${host}:${(files.address() as AddressInfo).port}`;
}

async function webhookNamed(name: string): Promise<Webhook> {
  const { integration, secret } = await acme.owner.api.createWebhook({ body: { name } });
  return { id: integration.id, secret };
}

/** The conversation of a message of this webhook. */
async function received({ id }: Webhook) {
  const message = await until('it is recorded', () =>
    road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { integrationId: id })),
  );
  return acme.owner.api.getConversation({ params: { id: message.conversationId } });
}

describe('a file named by its address', () => {
  test('is fetched, kept and typed by its content', async () => {
    const webhook = await webhookNamed('Photos');
    await road.deliver(webhook, {
      from: { id: 'camille' },
      text: 'Voici',
      attachments: [
        { name: 'note.txt', content: Buffer.from('Bonjour').toString('base64') },
        { name: 'photo.jpg', url: `${filesUrl()}/photo` },
      ],
    });
    const { messages } = await received(webhook);
    expect(messages[0]!.attachments).toEqual([
      expect.objectContaining({ name: 'note.txt', size: 7 }),
      expect.objectContaining({ name: 'photo.jpg', type: 'image/png', size: PNG.length }),
    ]);
  });

  test.each([
    ['in a private network', () => `${filesUrl('localhost')}/photo`],
    ['of the machine itself', () => 'https://127.0.0.1/photo'],
    ['of a cloud’s own metadata', () => 'https://169.254.169.254/latest/meta-data'],
    ['that the host does not know', () => `${filesUrl()}/missing`],
  ])('%s is left out, said so, and the message arrives', async (_case, url) => {
    asked = [];
    const webhook = await webhookNamed('Photos');
    await road.deliver(webhook, {
      from: { id: 'camille' },
      text: 'Voici',
      attachments: [{ name: 'photo.jpg', url: url() }],
    });
    const { id, messages } = await received(webhook);
    expect(messages[0]).toMatchObject({ newText: 'Voici', attachments: [] });
    const { steps } = await acme.owner.api.listSteps({ params: { id } });
    expect(JSON.stringify(steps)).toContain('A file (photo.jpg) could not be fetched');
    expect(asked).toEqual(url().startsWith(filesUrl()) ? ['/missing'] : []);
  });
});

describe('the published schema', () => {
  const schema = () => fetch(`${road.url}/inbox/webhooks/custom/schema.json`).then((answer) => answer.json());

  test('is the one in the documentation', async () => {
    const documented = readFileSync(path.join(PROJECT_ROOT, 'docs/custom-message.schema.json'), 'utf8');
    expect(await schema()).toEqual(JSON.parse(documented));
  });

  test('accepts and refuses what the door accepts and refuses', async () => {
    const accepts = formats.default(new Ajv2020({ strict: false })).compile((await schema()) as object);
    const webhook = await webhookNamed('Formes');
    const from = { email: 'camille@example.com' };
    const file = { name: 'a', content: 'AAAA' };
    for (const message of [
      { from, text: 'Bonjour' },
      { from: { phone: '+33612345678' }, text: 'Bonjour', sentAt: '2026-11-02T09:00:00+01:00', attachments: [file] },
      { from, text: 'Bonjour', attachments: [{ name: 'a', url: 'https://files.example.com/a' }] },
      { from: {}, text: 'Bonjour' },
      { text: 'Bonjour' },
      { from, text: '' },
      { from, text: 'Bonjour', attachments: [{ name: 'a' }] },
      { from, text: 'Bonjour', attachments: [{ ...file, url: 'https://files.example.com/a' }] },
      { from, text: 'Bonjour', sentAt: 'yesterday' },
    ]) {
      const { status } = await road.deliver(webhook, message);
      expect({ message, accepted: accepts(message) }).toEqual({ message, accepted: status === 202 });
    }
  });
});

describe('a webhook that sends much', () => {
  test(
    `has ${MESSAGES} messages, each sent ${TIMES} times at once, kept and recorded once`,
    async () => {
      const webhook = await webhookNamed('Rafale');
      const senders = Array.from({ length: MESSAGES }, (_, at) => ({
        message: { from: { id: `client-${at}` }, text: `Rafale ${at}`, conversation: `rafale-${at}` },
        headers: { 'idempotency-key': `rafale-${at}` },
      }));
      const calls = senders.flatMap((sender) => Array.from({ length: TIMES }, () => sender));
      const answers: string[] = [];
      // As many connections at once as a sender opens.
      for (let done = 0; done < calls.length; done += CALLS_AT_ONCE) {
        const sent = calls.slice(done, done + CALLS_AT_ONCE).map(async ({ message, headers }) => {
          const answer = await road.deliver(webhook, message, headers);
          return ((await answer.json()) as { status: string }).status;
        });
        answers.push(...(await Promise.all(sent)));
      }
      expect(answers.filter((status) => status === 'accepted')).toHaveLength(MESSAGES);
      expect(answers.filter((status) => status === 'already-accepted')).toHaveLength(MESSAGES * (TIMES - 1));
      const inAcme = <Result>(work: Parameters<typeof road.db.database.inTenant<Result>>[1]) =>
        road.db.database.inTenant(acme.tenantId, work);
      await until(
        'every receipt has had its run',
        () => inAcme(async (em) => (await em.count(Receipt, { integrationId: webhook.id, state: 'kept' })) === 0),
        LONG ? 600_000 : 60_000,
      );
      const messages = await inAcme((em) => em.find(Message, { integrationId: webhook.id }));
      expect(new Set(messages.map(({ text }) => text)).size).toBe(MESSAGES);
      expect(new Set(messages.map(({ conversationId }) => conversationId)).size).toBe(MESSAGES);
      expect(messages).toHaveLength(MESSAGES);
    },
    LONG ? 700_000 : 90_000,
  );

  test(
    'beyond its share is told when to go on; what it had sent stays, and others are not held up',
    async () => {
      const [loud, quiet] = [await webhookNamed('Bruyant'), await webhookNamed('Discret')];
      const message = { from: { id: 'camille' }, text: 'Encore' };
      const again = { 'idempotency-key': 'encore' };
      const unsigned = { 'relais-signature': signWebhook('whsec_other', JSON.stringify(message), Date.now() / 1000) };
      expect((await road.deliver(loud, message, unsigned)).status).toBe(401);
      for (let call = 0; call < CALLS_PER_MINUTE; call += 1) {
        if ((await road.deliver(loud, message, again)).status !== 202) throw new Error(`Call ${call} was refused.`);
      }
      const refused = await road.deliver(loud, message);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({ code: 'webhook.too-many' });
      expect((await road.deliver(quiet, message)).status).toBe(202);
      const kept = await road.db.database.inTenant(acme.tenantId, (em) =>
        em.count(Receipt, { integrationId: loud.id }),
      );
      expect(kept).toBe(1);
    },
    60_000 + CALLS_PER_MINUTE * 100,
  );
});
