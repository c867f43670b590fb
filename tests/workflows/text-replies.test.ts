import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { hearReceipt } from '#domain/conversations/delivery-receipt.ts';
import { Message } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { workflowIds } from '#workflows/contract.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';
import {
  isSignedByApplication,
  type SentMessage,
  signed,
  sms,
  token,
  VonageServer,
  whatsapp,
} from '../support/vonage.ts';

const SECRET = 'acme signature secret';
const APPLICATION = '0f5c1b3a-6f4a-4c0e-9c67-2d6a54f4b8f1';
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (key: typeof keys.privateKey, type: 'pkcs8' | 'spki') => key.export({ type, format: 'pem' }).toString();

let vonage: VonageServer;
let road: Road;
let acme: Company;
let globex: Company;
let maya: Person;

beforeAll(async () => {
  vonage = await VonageServer.open();
  road = await Road.open({ vonageUrl: vonage.url });
  acme = await road.company('acme');
  globex = await road.company('globex');
  maya = await road.person(acme, 'agent', 'Maya');
  const body = { name: 'Mobile', number: '+33757000001', apiKey: 'acme-key', signatureSecret: SECRET };
  await acme.owner.api.connectNumber({ body: { ...body, channel: 'sms', apiSecret: 'api secret' } });
  const application = { applicationId: APPLICATION, privateKey: pem(keys.privateKey, 'pkcs8') };
  await acme.owner.api.connectNumber({ body: { ...body, channel: 'whatsapp', ...application } });
});

beforeEach(() => {
  vonage.faults.length = 0;
  vonage.onTaken = async () => {};
});

afterAll(async () => {
  await road?.close();
  await vonage?.close();
});

let people = 0;

/** A client has written; gives the conversation and the number. */
async function heard(channel: 'sms' | 'whatsapp' = 'sms') {
  people += 1;
  const phone = `336300${String(10_000 + people)}`;
  if (channel === 'sms') {
    const parameters = signed(sms({ msisdn: phone, text: `Question ${people}` }), SECRET);
    await fetch(`${road.url}/inbox/webhooks/sms?${new URLSearchParams(parameters)}`);
  } else {
    await post('whatsapp', whatsapp({ from: phone, text: `Question ${people}` }));
  }
  const { conversationId } = await until('the question is heard', () =>
    road.db.database.inTenant(acme.tenantId, (em) =>
      em.findOne(Message, { text: `Question ${people}`, kind: 'personal' }),
    ),
  );
  return { conversationId, phone };
}

async function reply(channel: 'sms' | 'whatsapp' = 'sms', text = 'Bonjour Camille.') {
  const { conversationId, phone } = await heard(channel);
  const { id } = await maya.api.writeReply({ params: { id: conversationId }, body: { text } });
  const row = () => road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Reply, { id }));
  const inState = (state: Reply['state']) =>
    until(`the reply is ${state}`, async () => {
      const now = await row();
      return now.state === state && now;
    });
  const ended = () => road.temporal.client.workflow.getHandle(workflowIds.sendReply(acme.tenantId, id)).result();
  return { id, conversationId, phone, row, inState, ended, sent: () => vonage.to(phone) };
}

function post(path: string, fields: Record<string, unknown>): Promise<Response> {
  const body = JSON.stringify(fields);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token(body, SECRET)}` };
  return fetch(`${road.url}/inbox/webhooks/${path}`, { method: 'POST', headers, body });
}

/** A receipt as the Messages API sends it: `from` is our number. */
function receipt(message: SentMessage, status: string, error?: { title: string; detail: string }) {
  const { uuid: message_uuid, channel, to, from, client_ref } = message;
  const timestamp = new Date().toISOString();
  return { message_uuid, to, from, timestamp, status, client_ref, channel, ...(error ? { error } : {}) };
}

async function tell(message: SentMessage, status: string, error?: { title: string; detail: string }): Promise<void> {
  expect((await post(`${message.channel}/status`, receipt(message, status, error))).status).toBe(200);
}

describe('a reply by SMS', () => {
  test('leaves by the number the client wrote to, with our reference, and its delivery is shown', async () => {
    const { conversationId, inState, sent, id, phone } = await reply();
    await inState('sent');
    const [message] = sent();
    expect(message).toMatchObject({
      message_type: 'text',
      channel: 'sms',
      from: '33757000001',
      to: phone,
      text: 'Bonjour Camille.',
      client_ref: id,
      authorization: `Basic ${Buffer.from('acme-key:api secret').toString('base64')}`,
    });
    await tell(message!, 'delivered');
    const view = await maya.api.getConversation({ params: { id: conversationId } });
    expect(view).toMatchObject({ canReply: true, replyUntil: null });
    expect(view.messages.at(-1)).toMatchObject({ channel: 'sms', reply: { state: 'sent', delivery: 'delivered' } });
  });

  test('is refused when it is longer than one message may be', async () => {
    const { conversationId } = await heard();
    await expect(
      maya.api.writeReply({ params: { id: conversationId }, body: { text: 'a'.repeat(1_001) } }),
    ).rejects.toMatchObject({ problem: { status: 422, code: 'reply.too-long' } });
  });

  test.each([429, 500, 503])('is tried again after %i, and arrives once', async (status) => {
    vonage.faults.push({ status });
    const { inState, sent } = await reply();
    expect(await inState('sent')).toMatchObject({ attempts: 2 });
    expect(sent()).toHaveLength(1);
  });

  test.each([
    [401, 'credentials-refused'],
    [402, 'no-credit'],
    [422, 'message-refused'],
  ])('ends with its reason after %i, and can be sent again by a person', async (status, failure) => {
    vonage.faults.push({ status, title: 'Invalid params', detail: 'The number 33612345678 is wrong' });
    const { id, inState, sent, row } = await reply();
    await inState('failed');
    expect(await row()).toMatchObject({ failure, lastResponse: `${status} Invalid params: The number … is wrong` });
    expect(sent()).toEqual([]);
    await maya.api.judgeReply({ params: { id }, body: { verdict: 'send-again' } });
    await inState('sent');
    expect(sent()).toHaveLength(1);
  });
});

describe('Vonage away', () => {
  test('keeps the reply until it is back', async () => {
    const { port } = vonage;
    await vonage.close();
    const { inState, row } = await reply();
    await until('it has been tried twice', async () => (await row()).attempts >= 2, 20_000);
    expect(await row()).toMatchObject({ failure: 'server-unreachable', handedOverAt: null });
    vonage = await VonageServer.open(port);
    await inState('sent');
  });
});

describe('an answer that is lost after the hand-over', () => {
  test('leaves the outcome unknown; a receipt that comes later proves that it was sent', async () => {
    vonage.faults.push({ lost: 'after-taking' });
    const { inState, sent, ended } = await reply();
    await inState('unknown');
    await tell(sent()[0]!, 'submitted');
    expect(await inState('sent')).toMatchObject({ failure: null, delivery: 'submitted' });
    expect(await ended()).toEqual({ state: 'sent' });
    await tell(sent()[0]!, 'delivered');
    expect(await inState('sent')).toMatchObject({ delivery: 'delivered' });
    expect(sent()).toHaveLength(1);
  });

  test.each([{ lost: 'before-taking' as const }, { status: 504 }])(
    'is never sent again by itself: %o',
    async (fault) => {
      vonage.faults.push(fault);
      const { id, inState, sent } = await reply();
      expect(await inState('unknown')).toMatchObject({ failure: 'outcome-unknown', attempts: 1 });
      expect(sent()).toEqual([]);
      await maya.api.judgeReply({ params: { id }, body: { verdict: 'send-again' } });
      await inState('sent');
      expect(sent()).toHaveLength(1);
    },
  );
});

describe('a receipt', () => {
  test('that is faster than the answer is not lost', async () => {
    vonage.onTaken = (message) => tell(message, 'delivered');
    const { inState, ended } = await reply();
    expect(await inState('sent')).toMatchObject({ delivery: 'delivered' });
    expect(await ended()).toEqual({ state: 'sent' });
  });

  test('of a message that did not arrive ends the reply with its reason, where a person sees it', async () => {
    const { id, inState, sent } = await reply();
    await inState('sent');
    await tell(sent()[0]!, 'undeliverable', { title: 'Absent Subscriber', detail: 'Permanent' });
    expect(await inState('failed')).toMatchObject({
      failure: 'not-delivered',
      lastResponse: 'Absent Subscriber: Permanent',
    });
    const { items } = await maya.api.listOutbox({ query: { state: 'needs-person' } });
    expect(items.map((item) => item.id)).toContain(id);
    await maya.api.judgeReply({ params: { id }, body: { verdict: 'send-again' } });
    await until('it was sent again', () => sent().length === 2);
    await inState('sent');
    // What Vonage repeats of the first attempt says nothing of the second.
    await tell(sent()[0]!, 'undeliverable', { title: 'Absent Subscriber', detail: 'Permanent' });
    await tell(sent()[1]!, 'delivered');
    expect(await inState('sent')).toMatchObject({ delivery: 'delivered', deliveryFailure: null });
  });

  test('of the SMS API is heard too', async () => {
    const { inState, sent, id } = await reply();
    await inState('sent');
    const { uuid, to } = sent()[0]!;
    const parameters = sms({ msisdn: to, messageId: uuid, status: 'delivered', 'err-code': '0', 'client-ref': id });
    const query = new URLSearchParams(signed(parameters, SECRET));
    expect((await fetch(`${road.url}/inbox/webhooks/sms/status?${query}`)).status).toBe(200);
    expect(await inState('sent')).toMatchObject({ delivery: 'delivered' });
  });

  test('that another company signed changes nothing', async () => {
    const body = { name: 'Mobile', number: '+33757000001', apiKey: 'globex-key', signatureSecret: 'globex secret' };
    await globex.owner.api.connectNumber({ body: { ...body, channel: 'sms', apiSecret: 'api secret' } });
    const { inState, sent, row } = await reply();
    await inState('sent');
    const text = JSON.stringify(receipt(sent()[0]!, 'undeliverable'));
    const claims = { api_key: 'globex-key' };
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token(text, 'globex secret', { claims })}`,
    };
    const answer = await fetch(`${road.url}/inbox/webhooks/sms/status`, { method: 'POST', headers, body: text });
    expect(answer.status).toBe(200);
    expect(await row()).toMatchObject({ state: 'sent', delivery: null });
  });
});

describe('four receipts', () => {
  const statuses = ['submitted', 'delivered', 'read', 'failed'] as const;
  const orders = permutations([...statuses]);

  test('in all their orders, repeated and at once, end in the same state', async () => {
    expect(orders).toHaveLength(24);
    const { id, inState, ended } = await reply();
    await inState('sent');
    expect(await ended()).toEqual({ state: 'sent' });
    const ends = new Set<string>();
    for (const [index, order] of orders.entries()) {
      const providerId = newId();
      await road.db.database.inTenant(acme.tenantId, async (em) => {
        const row = await em.findOneOrFail(Reply, { id });
        await em.nativeUpdate(Reply, { id }, { state: 'sent', delivery: null, deliveryFailure: null, failure: null });
        await em.nativeUpdate(Message, { id: row.messageId }, { externalId: providerId });
      });
      const repeated = Array.from({ length: 5 }, () => order).flat();
      const hear = (status: (typeof statuses)[number]) =>
        road.db.database.inTenant(acme.tenantId, (em) =>
          hearReceipt(em, acme.tenantId, {
            providerId,
            replyId: id,
            status,
            failure: status === 'failed' ? 'Absent' : null,
          }),
        );
      // Half of the orders one after the other, half all at once.
      if (index % 2) await Promise.all(repeated.map(hear));
      else for (const status of repeated) await hear(status);
      const { state, delivery, deliveryFailure, failure } = await road.db.database.inTenant(acme.tenantId, (em) =>
        em.findOneOrFail(Reply, { id }),
      );
      ends.add(JSON.stringify({ state, delivery, deliveryFailure, failure }));
    }
    expect([...ends]).toEqual([
      JSON.stringify({ state: 'sent', delivery: 'read', deliveryFailure: 'Absent', failure: null }),
    ]);
  });
});

describe('a reply by WhatsApp', () => {
  test('leaves with a token signed by the application’s key', async () => {
    const { inState, sent, conversationId } = await reply('whatsapp');
    await inState('sent');
    const [message] = sent();
    expect(message).toMatchObject({ channel: 'whatsapp' });
    expect(isSignedByApplication(message!.authorization, pem(keys.publicKey, 'spki'))).toBe(true);
    await tell(message!, 'read');
    const view = await maya.api.getConversation({ params: { id: conversationId } });
    expect(view.messages.at(-1)?.reply).toMatchObject({ delivery: 'read' });
    expect(new Date(view.replyUntil!).getTime()).toBeGreaterThan(Date.now() + 23 * 3600_000);
  });

  test('is refused once the window of 24 hours has closed, with what to do instead', async () => {
    const { conversationId, phone } = await heard('whatsapp');
    await road.db.owner.query(
      `update conversation set last_inbound_at = now() - interval '24 hours 1 minute' where id = $1`,
      [conversationId],
    );
    await expect(
      maya.api.writeReply({ params: { id: conversationId }, body: { text: 'Trop tard' } }),
    ).rejects.toMatchObject({ problem: { status: 409, code: 'reply.whatsapp-window-closed' } });
    expect(vonage.to(phone)).toEqual([]);
    // The client writes again, and it is open.
    await post('whatsapp', whatsapp({ from: phone, text: 'Encore moi' }));
    await until('it is open again', async () => {
      const view = await maya.api.getConversation({ params: { id: conversationId } });
      return new Date(view.replyUntil!) > new Date();
    });
    await maya.api.writeReply({ params: { id: conversationId }, body: { text: 'À temps' } });
    await until('it has left', () => vonage.to(phone).length === 1);
  });
});

function permutations<Item>(items: Item[]): Item[][] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  );
}
