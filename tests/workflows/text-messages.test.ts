import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Message } from '#domain/conversations/message.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';
import { signed, sms, token, VonageServer, whatsapp } from '../support/vonage.ts';

const SECRET = 'acme signature secret';
let vonage: VonageServer;
let road: Road;
let acme: Company;
let globex: Company;

beforeAll(async () => {
  vonage = await VonageServer.open();
  road = await Road.open({ vonageUrl: vonage.url, patience: { partsWithinMs: 1_500 } });
  acme = await road.company('acme');
  globex = await road.company('globex');
  for (const channel of ['sms', 'whatsapp'] as const) {
    const body = { channel, name: channel, number: '+33757000001', apiKey: 'acme-key', apiSecret: 'api secret' };
    await acme.owner.api.connectNumber({ body: { ...body, signatureSecret: SECRET } });
  }
});

beforeEach(() => {
  vonage.fileRequests.length = 0;
});

afterAll(async () => {
  await road?.close();
  await vonage?.close();
});

let references = 0;
/** A long SMS in its parts, each as Vonage sends it. */
function longSms(texts: string[], fields: Record<string, string> = {}): Record<string, string>[] {
  references += 1;
  return texts.map((text, index) =>
    sms({
      text,
      concat: 'true',
      'concat-ref': `${references}`,
      'concat-total': `${texts.length}`,
      'concat-part': `${index + 1}`,
      ...fields,
    }),
  );
}

async function deliver(parameters: Record<string, string>): Promise<void> {
  const answer = await fetch(`${road.url}/inbox/webhooks/sms?${new URLSearchParams(signed(parameters, SECRET))}`);
  expect(answer.status).toBe(200);
}

async function chat(fields: Record<string, unknown>): Promise<void> {
  const body = JSON.stringify(whatsapp(fields));
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token(body, SECRET)}` };
  expect((await fetch(`${road.url}/inbox/webhooks/whatsapp`, { method: 'POST', headers, body })).status).toBe(200);
}

function from(phone: string, company = acme): Promise<Message[]> {
  return road.db.database.inTenant(company.tenantId, async (em) =>
    (await em.find(Message, { direction: 'inbound' }, { orderBy: { createdAt: 'asc' } })).filter(
      (message) => message.sender.phone === phone && message.kind !== null,
    ),
  );
}

function allSettled(): Promise<boolean> {
  return road.db.database.inTenant(acme.tenantId, async (em) => (await em.count(Receipt, { state: 'kept' })) === 0);
}

describe('a long SMS', () => {
  const words = ['Bonjour, ', 'mon compte ', 'ne fonctionne pas.'];
  test.each([
    ['in order', [0, 1, 2]],
    ['backwards', [2, 1, 0]],
    ['mixed up', [1, 2, 0]],
  ])('whose parts come %s is one message, as soon as it is whole', async (name, order) => {
    const msisdn = `3361000000${['in order', 'backwards', 'mixed up'].indexOf(name)}`;
    const parts = longSms(words, { msisdn });
    for (const index of order) await deliver(parts[index]!);
    const [message] = await until('it is whole', async () => {
      const found = await from(`+${msisdn}`);
      return found.length > 0 && found;
    });
    expect(message!.text).toBe(words.join(''));
    await until('every run has ended', allSettled);
    expect(await from(`+${msisdn}`)).toHaveLength(1);
  });

  test('whose parts come at once, three times each, is one message', async () => {
    const parts = longSms(words, { msisdn: '33610000010' });
    await Promise.all([...parts, ...parts, ...parts].map(deliver));
    await until('it is whole', async () => (await from('+33610000010')).length > 0);
    await until('every run has ended', allSettled);
    expect((await from('+33610000010')).map(({ text }) => text)).toEqual([words.join('')]);
  });

  test('of which a part never comes is shown after a time with what is there', async () => {
    const parts = longSms(words, { msisdn: '33610000011' });
    await deliver(parts[2]!);
    await deliver(parts[0]!);
    const found = await until('its time is over', async () => {
      const messages = await from('+33610000011');
      return messages.length > 0 && messages;
    });
    expect(found.map(({ text }) => text)).toEqual(['Bonjour, […]ne fonctionne pas.']);
    await until('every run has ended', allSettled);
    // A part that comes when nobody waits for it any more is not lost.
    await deliver(parts[1]!);
    await until('the late part is there', async () => (await from('+33610000011')).length === 2);
    const [first, late] = await from('+33610000011');
    expect(late).toMatchObject({ text: '[…]mon compte […]', conversationId: first!.conversationId });
  });

  test('of two clients with one reference is not mixed', async () => {
    const one = longSms(['Je suis ', 'Camille'], { msisdn: '33610000012' });
    references -= 1;
    const other = longSms(['Je suis ', 'Tom'], { msisdn: '33610000013' });
    for (const part of [one[0]!, other[1]!, one[1]!, other[0]!]) await deliver(part);
    await until(
      'both are there',
      async () => (await from('+33610000012')).length && (await from('+33610000013')).length,
    );
    expect((await from('+33610000012'))[0]!.text).toBe('Je suis Camille');
    expect((await from('+33610000013'))[0]!.text).toBe('Je suis Tom');
  });
});

describe('a file of a WhatsApp message', () => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );

  async function shown(phone: string) {
    const [message] = await until('it is recorded', async () => {
      const found = await from(phone);
      return found.length > 0 && found;
    });
    const view = await acme.owner.api.getConversation({ params: { id: message!.conversationId } });
    return view.messages[0]!;
  }

  test('is fetched with the account’s credentials and shown by its content', async () => {
    vonage.files.set('/v3/media/1', png);
    const image = { url: `${vonage.url}/v3/media/1`, caption: 'Voici la photo' };
    await chat({ message_type: 'image', text: undefined, image, from: '33620000001' });
    const message = await shown('+33620000001');
    expect(message).toMatchObject({
      newText: 'Voici la photo',
      attachments: [{ name: 'image.png', type: 'image/png', size: png.length }],
    });
    expect(vonage.fileRequests).toHaveLength(1);
    expect(vonage.fileRequests[0]!.authorization).toBe(
      `Basic ${Buffer.from('acme-key:api secret').toString('base64')}`,
    );
    expect(await from('+33620000001', globex)).toEqual([]);
  });

  test('that is gone, or lies in a private network, is said to be so, and the message arrives', async () => {
    const file = { url: `${vonage.url}/v3/media/gone` };
    await chat({ message_type: 'file', text: undefined, file, from: '33620000002' });
    expect((await shown('+33620000002')).newText).toContain('answered 404');
    const inside = await VonageServer.open();
    const video = { url: `${inside.url}/secret`, caption: 'Regardez' };
    await chat({ message_type: 'video', text: undefined, video, from: '33620000003' });
    const message = await shown('+33620000003');
    expect(message.newText).toMatch(/^Regardez\n\[.*public addresses/);
    expect(inside.fileRequests).toEqual([]);
    await inside.close();
  });
});
