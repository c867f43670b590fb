import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Message } from '#domain/conversations/message.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '#domain/rules/words.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';
import { signed, sms, token, whatsapp } from '../support/vonage.ts';

const SECRET = 'acme signature secret';
const OURS = '33757000001';
let road: Road;
let acme: Company;
let globex: Company;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  await connect(acme, 'sms', OURS, 'acme-key', SECRET);
  await connect(acme, 'whatsapp', OURS, 'acme-key', SECRET);
  await connect(globex, 'sms', '33757000002', 'globex-key', 'globex signature secret');
});

afterAll(() => road?.close());

function connect(
  company: Company,
  channel: 'sms' | 'whatsapp',
  number: string,
  apiKey: string,
  signatureSecret: string,
  signatureAlgorithm: SignatureAlgorithm = 'sha256',
) {
  const body = { channel, name: number, number: `+${number}`, apiKey, apiSecret: 'api secret', signatureSecret };
  return company.owner.api.connectNumber({ body: { ...body, signatureAlgorithm } });
}

type Way = 'GET' | 'form' | 'JSON';

function call(parameters: Record<string, string>, way: Way = 'form', path = 'sms'): Promise<Response> {
  const url = `${road.url}/inbox/webhooks/${path}`;
  const pairs = new URLSearchParams(parameters).toString();
  if (way === 'GET') return fetch(`${url}?${pairs}`);
  const [type, body] = way === 'JSON' ? ['application/json', JSON.stringify(parameters)] : [FORM, pairs];
  return fetch(url, { method: 'POST', headers: { 'content-type': type! }, body: body! });
}

const FORM = 'application/x-www-form-urlencoded';

function chat(fields: Record<string, unknown>, change: Parameters<typeof token>[2] & { body?: string } = {}) {
  const body = JSON.stringify(whatsapp(fields));
  return fetch(`${road.url}/inbox/webhooks/whatsapp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token(body, SECRET, change)}` },
    body: change.body ?? body,
  });
}

function messagesOf(company: Company, where: object = {}): Promise<Message[]> {
  return road.db.database.inTenant(company.tenantId, (em) =>
    em.find(Message, { direction: 'inbound', ...where }, { orderBy: { createdAt: 'asc' } }),
  );
}

async function arrived(company: Company, externalId: string): Promise<Message> {
  // And heard: until then its conversation still changes.
  return until('the message is recorded', async () => {
    const [message] = await messagesOf(company, { externalId });
    return message?.kind ? message : null;
  });
}

function receipts(company: Company): Promise<number> {
  return road.db.database.inTenant(company.tenantId, (em) => em.count(Receipt, {}));
}

async function quarantined(company: Company) {
  return (await company.owner.api.listQuarantine({ query: {} })).items;
}

describe('an SMS', () => {
  test.each(['GET', 'form', 'JSON'] as const)('by %s is kept, and shown with its text and its client', async (way) => {
    const parameters = sms({ text: 'Ça va & merci = à vous_tous 🙂', msisdn: '33612340000' });
    const answer = await call(signed(parameters, SECRET), way);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'accepted' }]);
    expect(await arrived(acme, parameters.messageId!)).toMatchObject({
      channel: 'sms',
      text: 'Ça va & merci = à vous_tous 🙂',
      sender: { phone: '+33612340000' },
      recipients: [`+${OURS}`],
      kind: 'personal',
    });
  });

  test('is answered to the dashboard that looks whether the address exists', async () => {
    expect((await fetch(`${road.url}/inbox/webhooks/sms`)).status).toBe(200);
  });

  test('sent again, in whatever way, is acknowledged and stays one message', async () => {
    const parameters = sms();
    const first = await call(signed(parameters, SECRET));
    const again = await call(signed(parameters, SECRET), 'GET');
    const renewed = await call(signed({ ...parameters, nonce: randomUUID() }, SECRET), 'JSON');
    expect(await Promise.all([first, again, renewed].map((answer) => answer.json()))).toEqual([
      { status: 'accepted' },
      { status: 'already-accepted' },
      { status: 'already-accepted' },
    ]);
    await arrived(acme, parameters.messageId!);
    expect(await messagesOf(acme, { externalId: parameters.messageId })).toHaveLength(1);
  });

  test('repeated by Vonage hours later is let in and says so, unless it has been here', async () => {
    const hoursAgo = String(Math.floor(Date.now() / 1000) - 5 * 3600);
    const parameters = sms({ timestamp: hoursAgo });
    expect((await call(signed(parameters, SECRET))).status).toBe(200);
    const { conversationId } = await arrived(acme, parameters.messageId!);
    const { steps } = await acme.owner.api.listSteps({ params: { id: conversationId } });
    expect(JSON.stringify(steps.map((step) => step.facts))).toContain('delivered it late');
    expect(await (await call(signed(parameters, SECRET))).json()).toEqual({ status: 'already-accepted' });
  });

  test('without a signature is asked for again and keeps nothing', async () => {
    const before = await receipts(acme);
    const answer = await call(sms());
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60']);
    expect(await receipts(acme)).toBe(before);
    await call(sms());
    expect((await quarantined(acme)).find((one) => one.reason === 'unsigned')).toMatchObject({ count: 2, kept: false });
  });

  test.each([
    ['with another text', (good: Record<string, string>) => ({ ...good, text: 'Changed' })],
    ['with one parameter more', (good: Record<string, string>) => ({ ...good, extra: '1' })],
    ['signed with another secret', (good: Record<string, string>) => signed(good, 'another')],
    ['signed by a weaker algorithm', (good: Record<string, string>) => signed(good, SECRET, 'md5hash')],
    ['with half of a signature', (good: Record<string, string>) => ({ ...good, sig: good.sig!.slice(0, 20) })],
    [
      'from the future',
      (good: Record<string, string>) =>
        signed({ ...good, timestamp: String(Math.floor(Date.now() / 1000) + 900) }, SECRET),
    ],
    [
      'older than any repeat',
      (good: Record<string, string>) =>
        signed({ ...good, timestamp: String(Math.floor(Date.now() / 1000) - 30 * 3600) }, SECRET),
    ],
  ])('%s is refused, and stands in quarantine', async (_name, change) => {
    const before = await receipts(acme);
    const known = (await quarantined(acme)).map(({ id }) => id);
    const wrong = change(signed(sms(), SECRET));
    for (let time = 0; time < 2; time += 1) expect((await call(wrong)).status).toBe(401);
    expect(await receipts(acme)).toBe(before);
    const fresh = (await quarantined(acme)).filter(({ id }) => !known.includes(id));
    expect(fresh).toMatchObject([{ channel: 'sms', number: OURS, count: 2, kept: true }]);
    expect(await quarantined(globex)).toEqual([]);
  });

  test.each(['text[]=a', 'text=a&text=b', 'sig=&sig=', 'sig[]=1'])(
    'with the parameters %s is refused and breaks nothing',
    async (extra) => {
      const pairs = new URLSearchParams(signed(sms(), SECRET)).toString();
      const answer = await fetch(`${road.url}/inbox/webhooks/sms?${pairs}&${extra}`);
      expect([401, 503]).toContain(answer.status);
    },
  );

  test.each(['[1]', '{"text":["a"]}', '{"text":{"a":1},"sig":"x"}', 'null', '{', '\u0000'])(
    'of the JSON %j is refused and breaks nothing',
    async (body) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${road.url}/inbox/webhooks/sms`, { method: 'POST', headers, body });
      expect([401, 503]).toContain(answer.status);
    },
  );

  test('for a number and an account nobody here has is asked for again, until somebody connects it', async () => {
    const parameters = signed(sms({ to: '33757000009', 'api-key': 'nobody' }), 'a secret of nobody');
    expect((await call(parameters)).status).toBe(503);
    await connect(globex, 'sms', '33757000009', 'nobody', 'a secret of nobody');
    await until('the new number is known', async () => (await call(parameters)).status === 200);
    await arrived(globex, parameters.messageId!);
  });

  test('for a number that is not connected, of an account that is, is kept and let in once it is connected', async () => {
    const parameters = signed(sms({ to: '33757000008' }), SECRET);
    const answer = await call(parameters);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'quarantined' }]);
    const [row] = (await quarantined(acme)).filter((one) => one.reason === 'unknown-number');
    expect(row).toMatchObject({ number: '33757000008', kept: true, integrationId: null });
    const retry = () => acme.owner.api.retryQuarantinedCall({ params: { id: row!.id } });
    await expect(retry()).rejects.toMatchObject({ problem: { status: 409, code: 'number.not-connected' } });
    await connect(acme, 'sms', '33757000008', 'acme-key', SECRET);
    await retry();
    await arrived(acme, parameters.messageId!);
    expect((await quarantined(acme)).map(({ id }) => id)).not.toContain(row!.id);
    // Two numbers of one account are one company's all the same.
    const refused = signed(sms({ to: '33757000008' }), 'a wrong secret');
    expect((await call(refused)).status).toBe(401);
    const kept = (await quarantined(acme)).filter(({ number }) => number === '33757000008');
    expect(kept).toMatchObject([{ reason: 'wrong-signature', kept: true, count: 1 }]);
  });

  test('answers 503 while the database is away', async () => {
    const close = road.db.database.outsideTenants;
    road.db.database.outsideTenants = () => Promise.reject(new Error('the database is away'));
    try {
      expect((await call(signed(sms({ to: '33757000077' }), SECRET))).status).toBe(503);
    } finally {
      road.db.database.outsideTenants = close;
    }
  });
});

describe('a secret that was rotated', () => {
  test('leaves a day of messages in quarantine, and none is lost', async () => {
    const number = await connect(acme, 'sms', '33757000005', 'rotating', 'the old secret');
    const lost = signed(sms({ to: '33757000005', 'api-key': 'rotating' }), 'the new secret');
    expect((await call(lost)).status).toBe(401);
    const row = (await quarantined(acme)).find((one) => one.integrationId === number.id)!;
    const retry = () => acme.owner.api.retryQuarantinedCall({ params: { id: row.id } });
    await expect(retry()).rejects.toMatchObject({ problem: { code: 'signature.wrong' } });
    await acme.owner.api.changeNumber({ params: { id: number.id }, body: { signatureSecret: 'the new secret' } });
    const next = signed(sms({ to: '33757000005', 'api-key': 'rotating' }), 'the new secret');
    expect((await call(next)).status).toBe(200);
    await retry();
    await arrived(acme, lost.messageId!);
    const onItsWay = signed(sms({ to: '33757000005', 'api-key': 'rotating' }), 'the old secret');
    expect((await call(onItsWay)).status).toBe(200);
  });
});

describe('the five algorithms', () => {
  test.each(SIGNATURE_ALGORITHMS.map((algorithm, index) => [algorithm, `3375700010${index}`] as const))(
    '%s lets in what it signed, and nothing else',
    async (algorithm, number) => {
      await connect(acme, 'sms', number, `key-${algorithm}`, SECRET, algorithm);
      const parameters = sms({ to: number, 'api-key': `key-${algorithm}` });
      expect((await call(signed(parameters, SECRET, algorithm))).status).toBe(200);
      for (const other of SIGNATURE_ALGORITHMS.filter((one) => one !== algorithm))
        expect((await call(signed({ ...parameters, messageId: randomUUID() }, SECRET, other))).status).toBe(401);
    },
  );
});

describe('two companies', () => {
  test('with two numbers never see each other’s messages', async () => {
    const toAcme = sms({ text: 'for acme' });
    const toGlobex = sms({ text: 'for globex', to: '33757000002', 'api-key': 'globex-key' });
    await Promise.all([call(signed(toAcme, SECRET)), call(signed(toGlobex, 'globex signature secret'))]);
    expect(await arrived(acme, toAcme.messageId!)).toMatchObject({ text: 'for acme' });
    expect(await arrived(globex, toGlobex.messageId!)).toMatchObject({ text: 'for globex' });
    expect(await messagesOf(acme, { externalId: toGlobex.messageId })).toEqual([]);
    expect(await messagesOf(globex, { externalId: toAcme.messageId })).toEqual([]);
  });

  test('of which one typed the other’s number get neither its messages nor its refused calls', async () => {
    await connect(globex, 'sms', OURS, 'acme-key', 'a secret of globex');
    const parameters = sms();
    expect((await call(signed(sms(), 'a secret of globex'))).status).toBe(200);
    expect((await call(signed(parameters, SECRET))).status).toBe(200);
    await arrived(acme, parameters.messageId!);
    expect(await messagesOf(globex, { externalId: parameters.messageId })).toEqual([]);
    expect((await call(signed(sms(), 'of neither'))).status).toBe(401);
    // Both admins are told that something was refused, and neither is shown what.
    for (const company of [acme, globex]) {
      const told = (await quarantined(company)).filter((one) => one.reason === 'wrong-signature' && !one.kept);
      expect(told).toMatchObject([{ number: null, count: 1 }]);
    }
  });
});

describe('a WhatsApp message', () => {
  test('is kept, with its client’s name', async () => {
    const uuid = randomUUID();
    expect((await chat({ message_uuid: uuid })).status).toBe(200);
    const message = await arrived(acme, uuid);
    expect(message).toMatchObject({ channel: 'whatsapp', sender: { name: 'Camille Martin', phone: '+33612345678' } });
  });

  const old = (seconds: number) => ({ claims: { iat: Math.floor(Date.now() / 1000) - seconds } });
  test.each([
    ['with a wrong payload hash', { claims: { payload_hash: 'a'.repeat(64) } }],
    ['without a payload hash', { claims: { payload_hash: undefined } }],
    ['with other bytes', { body: JSON.stringify(whatsapp({ text: 'Changed' })) }],
    ['that says alg none', { header: { alg: 'none' } }],
    ['signed by another algorithm', { header: { alg: 'HS512' }, signWith: 'sha512' }],
    ['of another account', { claims: { api_key: 'somebody' } }],
    ['signed ten years ago', old(10 * 365 * 24 * 3600)],
    ['from the future', old(-900)],
    ['that is over', { claims: { exp: 1 } }],
  ])('%s is refused, and stands in quarantine', async (_name, change) => {
    const before = await receipts(acme);
    const answer = await chat({}, change);
    expect(answer.status).toBe(401);
    expect(await receipts(acme)).toBe(before);
  });

  test('without a token is asked for again', async () => {
    const headers = { 'content-type': 'application/json' };
    const url = `${road.url}/inbox/webhooks/whatsapp`;
    expect((await fetch(url, { method: 'POST', headers, body: JSON.stringify(whatsapp()) })).status).toBe(503);
    const garbage = { ...headers, authorization: 'Bearer a.b' };
    expect((await fetch(url, { method: 'POST', headers: garbage, body: JSON.stringify(whatsapp()) })).status).toBe(401);
  });

  test('sent again with its token, or with a new one, stays one message; a late one is let in', async () => {
    const uuid = randomUUID();
    const first = await chat({ message_uuid: uuid }, old(3600));
    const again = await chat({ message_uuid: uuid });
    expect([await first.json(), await again.json()]).toEqual([{ status: 'accepted' }, { status: 'already-accepted' }]);
  });
});

describe('a burst', () => {
  test('of a hundred webhooks sent three times each at once gives a hundred messages', async () => {
    const texts = Array.from({ length: 100 }, (_, index) =>
      signed(sms({ text: `Burst ${index}`, msisdn: `3361111${String(1000 + index)}` }), SECRET),
    );
    const calls = [...texts, ...texts, ...texts].sort(() => Math.random() - 0.5);
    const answers = await Promise.all(calls.map((parameters) => call(parameters)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await until(
      'all are recorded',
      async () => (await messagesOf(acme, { text: { $like: 'Burst %' } })).length >= 100,
      60_000,
      200,
    );
    const found = await messagesOf(acme, { text: { $like: 'Burst %' } });
    expect(new Set(found.map(({ text }) => text)).size).toBe(100);
    expect(found).toHaveLength(100);
  }, 90_000);

  test('of ten first messages of one client makes one client and one conversation', async () => {
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        call(signed(sms({ text: `Dix ${index}`, msisdn: '33699999999' }), SECRET)),
      ),
    );
    const found = await until('all ten are recorded', async () => {
      const messages = await messagesOf(acme, { text: { $like: 'Dix %' } });
      return messages.length === 10 && messages;
    });
    expect(new Set(found.map(({ conversationId }) => conversationId)).size).toBe(1);
  });
});

describe('a conversation by SMS', () => {
  test('goes on within the window of its number, and another one begins after it', async () => {
    const text = (name: string) => signed(sms({ msisdn: '33688888888', text: name }), SECRET);
    const [one, two, three] = [text('one'), text('two'), text('three')];
    await call(one);
    const first = await arrived(acme, one.messageId!);
    await call(two);
    expect((await arrived(acme, two.messageId!)).conversationId).toBe(first.conversationId);
    await road.db.database.inTenant(acme.tenantId, (em) =>
      em.nativeUpdate(
        Conversation,
        { id: first.conversationId },
        { lastMessageAt: new Date(Date.now() - 8 * 24 * 3600_000) },
      ),
    );
    const more = [three, text('four'), text('five')];
    await Promise.all(more.map((parameters) => call(parameters)));
    const later = await Promise.all(more.map(({ messageId }) => arrived(acme, messageId!)));
    expect(new Set(later.map(({ conversationId }) => conversationId)).size).toBe(1);
    expect(later[0]!.conversationId).not.toBe(first.conversationId);
  });
});
