import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isPrivate } from '#activities/providers/guarded-fetch.ts';
import { type IncomingMessage, Unreadable } from '#activities/readers/incoming-message.ts';
import { readPart } from '#activities/readers/sms-parts.ts';
import { readTextMessage } from '#activities/readers/text-message.ts';
import { readWhatsapp } from '#activities/readers/whatsapp.ts';
import { sms, whatsapp } from '../support/vonage.ts';

const now = new Date('2026-11-25T10:00:00Z');

function part(fields: Record<string, string>, index = 0) {
  const raw = Buffer.from(new URLSearchParams(sms(fields)).toString());
  return readPart({ id: `id-${index}`, sourceId: `source-${index}`, raw, encoding: 'form', receivedAt: now });
}

function read(fields: Record<string, unknown>): Promise<IncomingMessage> {
  return readWhatsapp(Buffer.from(JSON.stringify(whatsapp(fields))), now, null);
}

describe('an SMS', () => {
  test('has its client by number and its time in UTC', () => {
    const message = readTextMessage([part({ 'message-timestamp': '2026-11-25 09:30:00' })], 'id-0');
    expect(message).toMatchObject({
      channel: 'sms',
      contacts: [{ kind: 'phone', value: '+33612345678' }],
      sentAt: new Date('2026-11-25T09:30:00Z'),
      threadKeys: ['sms:+33757000001:+33612345678'],
      problems: [],
    });
  });

  test('of a short code or a sender’s name has a client of that name, and no number', () => {
    for (const msisdn of ['36179', 'LaPoste'])
      expect(readTextMessage([part({ msisdn })], 'id-0').contacts).toEqual([
        { kind: 'handle', value: `sms:${msisdn}` },
      ]);
  });

  test('of data for a telephone is shown as such', () => {
    const { text: _, ...fields } = sms({ type: 'binary', data: '0605041581' });
    const raw = Buffer.from(new URLSearchParams(fields).toString());
    const one = readPart({ id: 'a', sourceId: 'a', raw, encoding: 'query', receivedAt: now });
    expect(readTextMessage([one], 'a').text).toBe('[binary] 0605041581');
  });

  test('in parts is joined in the order of its text, in whatever order they came', () => {
    const words = ['Mon compte ', 'ne fonctionne ', 'pas, ', 'merci.'];
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (order) => {
        const parts = order.map((index) =>
          part(
            {
              concat: 'true',
              'concat-ref': '7',
              'concat-total': '4',
              'concat-part': `${index + 1}`,
              text: words[index]!,
            },
            index,
          ),
        );
        const message = readTextMessage(parts, 'id-0');
        expect(message).toMatchObject({ text: words.join(''), externalId: 'source-0', series: { missing: 0 } });
      }),
    );
  });

  const placed = (place: string, total: string, index: number) =>
    part({ concat: 'true', 'concat-ref': '7', 'concat-total': total, 'concat-part': place, text: `<${place}>` }, index);

  test.each([
    ['9', '4'],
    ['0', '4'],
    ['1', '1'],
    ['1.5', '4'],
    ['1', '1e9'],
    ['', ''],
  ])('that claims to be part %j of %j stands alone, with its text', (place, total) => {
    const message = readTextMessage([placed(place, total, 0)], 'id-0');
    expect(message.text).toBe(`<${place}>`);
    expect(message.series).toBeUndefined();
  });

  test('of which two parts claim one place leaves the other one for a message of its own', () => {
    const parts = [placed('1', '2', 0), placed('1', '2', 1), placed('2', '2', 2)];
    expect(readTextMessage(parts, 'id-0').series?.receiptIds).toEqual(['id-0', 'id-2']);
    expect(readTextMessage(parts, 'id-1').series?.receiptIds).toEqual(['id-1', 'id-2']);
    expect(readTextMessage(parts, 'id-2').series?.receiptIds).toEqual(['id-0', 'id-2']);
  });

  test('of which parts are missing shows what is there, and where something is not', () => {
    const some = [2, 5].map((place) =>
      part(
        { concat: 'true', 'concat-ref': '7', 'concat-total': '5', 'concat-part': `${place}`, text: `<${place}>` },
        place,
      ),
    );
    expect(readTextMessage(some, 'id-2')).toMatchObject({
      text: '[…]<2>[…]<5>',
      problems: [expect.stringContaining('3 of its 5')],
    });
  });

  test('never makes its reader fail, whatever the parameters are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (parameters) => {
        const raw = Buffer.from(JSON.stringify({ ...parameters, concat: 'true', 'concat-total': '9' }));
        const one = readPart({ id: 'a', sourceId: 'a', raw, encoding: 'json', receivedAt: now });
        expect(readTextMessage([one], 'a').text).not.toContain('\0');
      }),
    );
  });
});

describe('a WhatsApp message', () => {
  test.each([
    ['text', { text: 'Bonjour' }, 'Bonjour'],
    [
      'reply',
      { text: undefined, reply: { id: 'a', title: 'Oui', description: 'Demain à 10 h' } },
      'Oui\nDemain à 10 h',
    ],
    ['button', { text: undefined, button: { payload: 'x', text: 'Confirmer' } }, 'Confirmer'],
    ['image', { text: undefined, image: { url: 'https://x.test/1', caption: 'Mon reçu' } }, 'Mon reçu'],
    ['audio', { text: undefined, audio: { url: 'https://x.test/1' } }, ''],
    ['order', { text: undefined, order: {} }, '[order]'],
    ['unsupported', { text: undefined }, '[unsupported]'],
  ])('of type %s is read', async (message_type, fields, text) => {
    expect((await read({ message_type, ...fields })).text).toBe(text);
  });

  test('of a place gives name, address and a map', async () => {
    const { text } = await read({
      message_type: 'location',
      text: undefined,
      location: { lat: 48.8566, long: 2.3522, name: 'Hôtel de Ville', address: 'Paris' },
    });
    expect(text).toContain('Hôtel de Ville\nParis\n48.8566, 2.3522\nhttps://www.openstreetmap.org/?mlat=48.8566');
  });

  test('of a contact gives its name, numbers and addresses', async () => {
    const contact = {
      contacts: [{ name: { formatted_name: 'Tom' }, phones: [{ phone: '+33 1' }], emails: [{ email: 't@x.test' }] }],
    };
    expect((await read({ message_type: 'contact', text: undefined, contact })).text).toBe('👤 Tom\n+33 1\nt@x.test');
  });

  test('names what it quotes, and the files to fetch', async () => {
    const message = await read({
      message_type: 'file',
      text: undefined,
      file: { url: 'https://api.nexmo.com/v3/media/1', name: '../devis.pdf' },
      context: { message_uuid: 'quoted' },
    });
    expect(message).toMatchObject({
      inReplyTo: 'quoted',
      media: [{ url: 'https://api.nexmo.com/v3/media/1', name: '../devis.pdf', kind: 'file' }],
    });
  });

  test('shows the files that were fetched by their content, and says which could not be', async () => {
    const raw = Buffer.from(
      JSON.stringify(
        whatsapp({ message_type: 'file', text: undefined, file: { url: 'https://x.test/1', name: '../a.exe' } }),
      ),
    );
    const fetched = await readWhatsapp(raw, now, [{ content: Buffer.from('%PDF-1.7\n%abc') }]);
    expect(fetched.attachments).toMatchObject([{ name: 'a.exe', type: 'application/pdf' }]);
    const failed = await readWhatsapp(raw, now, [{ problem: 'A file (file) could not be fetched' }]);
    expect(failed).toMatchObject({ text: '[A file (file) could not be fetched]', attachments: [] });
  });

  test.each(['', '[]', '{}', '{"message_uuid":1}'])('that is %j is set aside', async (raw) => {
    await expect(readWhatsapp(Buffer.from(raw), now, null)).rejects.toThrow(Unreadable);
  });

  test('is read or set aside, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...Object.keys(whatsapp()), 'location', 'contact', 'image'), fc.jsonValue()),
        async (fields) => {
          await read(fields).catch((error) => expect(error).toBeInstanceOf(Unreadable));
        },
      ),
    );
  });
});

describe('an address', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.1.1',
    '172.31.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '100.64.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '224.0.0.1',
  ])('%s is private', (address) => {
    expect(isPrivate(address)).toBe(true);
  });
  test.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111'])('%s is public', (address) => {
    expect(isPrivate(address)).toBe(false);
  });
});
