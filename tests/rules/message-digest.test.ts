import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mailInstant } from '../../domain/rules/mail-date.ts';
import { canonicalMessage } from '../../domain/rules/message-digest.ts';

type Parts = Parameters<typeof canonicalMessage>[0];
const MAIL: Parts = {
  messageId: '<abc@client.com>',
  senderAddress: 'camille@client.com',
  date: 'Tue, 03 May 2016 10:12:00 +0200',
  subject: 'Ma commande 1042',
  text: 'Bonjour,\n\n  où en est-elle ?\n',
};

test('the form of the string is fixed: a change makes new mails of all old ones', () => {
  expect(canonicalMessage(MAIL)).toBe(
    'mail-1\n14:abc@client.com\n18:camille@client.com\n19:instant: 1462263120\n16:Ma commande 1042\n28:Bonjour,\n\n  où en est-elle ?',
  );
});

describe('two deliveries of one mail are one', () => {
  test.each<[string, Partial<Parts>]>([
    ['brackets and folding of the id', { messageId: ' <abc@\r\n client.com>\t' }],
    ['an id without brackets', { messageId: 'abc@CLIENT.com' }],
    ['the case of the address', { senderAddress: '<Camille@Client.COM>' }],
    ['another zone', { date: 'Tue, 3 May 2016 04:12:00 -0400 (EDT)' }],
    ['a zone by name', { date: '3 May 16 08:12 GMT' }],
    ['an ISO date', { date: '2016-05-03T08:12:00.000Z' }],
    ['a folded subject', { subject: 'Ma\r\n commande\t1042 ' }],
    ['line ends', { text: 'Bonjour,\r\n\r\n  où en est-elle ?\r\n\r\n' }],
    ['trailing white space', { text: '\nBonjour,  \n\t\n  où en est-elle ? \u00a0\n' }],
  ])('%s', (_, change) => {
    expect(canonicalMessage({ ...MAIL, ...change })).toBe(canonicalMessage(MAIL));
  });
});

describe('different mails stay different', () => {
  test.each<[string, Partial<Parts>]>([
    ['one id, another text', { text: 'Bonjour' }],
    ['another indentation', { text: 'Bonjour,\n\n où en est-elle ?\n' }],
    ['another subject', { subject: 'ma commande 1042' }],
    ['another second', { date: 'Tue, 03 May 2016 10:12:01 +0200' }],
    ['no date', { date: null }],
    ['no id', { messageId: null }],
    ['the local part of the id in capitals', { messageId: '<ABC@client.com>' }],
    ['another sender', { senderAddress: 'tom@client.com' }],
  ])('%s', (_, change) => {
    expect(canonicalMessage({ ...MAIL, ...change })).not.toBe(canonicalMessage(MAIL));
  });

  test('no text can pretend to be the next field', () => {
    const value = fc.oneof(fc.constantFrom('', '-', '1:a', '\n-', 'a\n0:', '0:\n1:a'), fc.string());
    const pair = fc.tuple(value, value);
    const split = ([subject, text]: [string, string]) => canonicalMessage({ ...MAIL, subject, text });
    const plain = (text: string) => text.replace(/\s+/g, ' ').trim();
    fc.assert(
      fc.property(pair, pair, (a, b) => {
        fc.pre(plain(a[0]) !== plain(b[0]) || plain(a[1]) !== plain(b[1]));
        expect(split(a)).not.toBe(split(b));
      }),
    );
  });

  test('what is missing differs from what is empty of sense', () => {
    const none = { messageId: null, senderAddress: null, date: null };
    expect(canonicalMessage({ ...MAIL, messageId: '<>', senderAddress: ' ', date: '' })).toBe(
      canonicalMessage({ ...MAIL, ...none }),
    );
    expect(canonicalMessage({ ...MAIL, messageId: '-' })).not.toBe(canonicalMessage({ ...MAIL, messageId: null }));
  });
});

describe('dates', () => {
  test.each<[string, string]>([
    ['Mon, 2 Apr 2012 18:22:10 +0400', '2012-04-02T14:22:10Z'],
    ['Fri, 21 Nov 97 09:55:06 -0600', '1997-11-21T15:55:06Z'],
    ['21 November 1997 09:55 EST', '1997-11-21T14:55:00Z'],
    ['Thu, 13 Feb 1969 23:32 -0330 (Newfoundland (old) Time)', '1969-02-14T03:02:00Z'],
    ['2012-04-02 18:22:10+0400', '2012-04-02T14:22:10Z'],
    ['Mon,2 Apr 2012 18:22:10+0400', '2012-04-02T14:22:10Z'],
    ['Mon,  2 Apr\r\n 2012 14:22:10', '2012-04-02T14:22:10Z'],
  ])('%s is %s', (date, instant) => {
    expect(mailInstant(date)).toBe(Date.parse(instant) / 1000);
  });

  test.each([
    '',
    'yesterday',
    'Mon, 2 Foo 2012 18:22:10 +0400',
    'Mon, 2 Apr 2012 25:00:00 +0000',
    '2 Apr 2012 18:22 XYZ',
    '2 Apr 2012 18:22 toString',
  ])('%j is none, but still tells two mails apart', (date) => {
    expect(mailInstant(date)).toBeNull();
    expect(canonicalMessage({ ...MAIL, date: `${date}!` })).not.toBe(canonicalMessage({ ...MAIL, date: 'never' }));
  });

  test('every instant is found again, in whatever zone it was written', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (date, offset) => {
          const local = new Date(date.getTime() + offset * 60_000).toUTCString().replace('GMT', '');
          const zone = `${offset < 0 ? '-' : '+'}${String(Math.trunc(Math.abs(offset) / 60)).padStart(2, '0')}${String(Math.abs(offset) % 60).padStart(2, '0')}`;
          expect(mailInstant(`${local}${zone}`)).toBe(Math.floor(date.getTime() / 1000));
        },
      ),
    );
  });
});

test('anything has a canonical string, and UTF-8 can carry it', () => {
  const any = fc.option(fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(any, any, any, fc.string({ unit: 'binary' }), (messageId, senderAddress, date, text) => {
      expect(canonicalMessage({ messageId, senderAddress, date, subject: text, text }).isWellFormed()).toBe(true);
    }),
  );
});

test.each([' ', '\n', '(', '<', 'a ', '\t\n'])('a megabyte of %j takes less than a second', (piece) => {
  const hostile = piece.repeat(Math.ceil(1_000_000 / piece.length));
  const started = performance.now();
  canonicalMessage({
    messageId: hostile,
    senderAddress: hostile,
    date: hostile,
    subject: hostile,
    text: `${hostile}x`,
  });
  expect(performance.now() - started).toBeLessThan(1000);
});
