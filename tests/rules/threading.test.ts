import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  baseSubject,
  parseMessageIds,
  referencesForReply,
  replySubject,
  threadKeys,
} from '../../domain/rules/threading.ts';

const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}@client.com`);
const bracketed = (list: string[]) => list.map((id) => `<${id}>`);

describe('message ids', () => {
  test.each<[string | null, string[]]>([
    ['<a@client.com>', ['a@client.com']],
    ['<a@client.com><b@client.com>,\r\n\t<c@client.com>', ['a@client.com', 'b@client.com', 'c@client.com']],
    ['<A@CLIENT.com>', ['A@client.com']],
    ['<a@\r\n client.com>', ['a@client.com']],
    ['a@client.com b@client.com', ['a@client.com', 'b@client.com']],
    ['a@client.com>', ['a@client.com']],
    ['Your message of Monday from tom@acme.test <a@client.com>', ['a@client.com']],
    ['<baz@bar.net>, <invalid.   \r\nsomething@bar.net>', ['baz@bar.net', 'invalid.something@bar.net']],
    ['<no-at-sign>', ['no-at-sign']],
    ['<a@x.test> <a@X.test>', ['a@x.test']],
    ['<>', []],
    ['Monday', []],
    ['', []],
    [null, []],
  ])('%j names %j', (header, expected) => {
    expect(parseMessageIds(header)).toEqual(expected);
  });

  test('any header gives clean ids, which are found again as they are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[<>a-c@ ,\r\n]{0,60}$/)), (header) => {
        const found = parseMessageIds(header);
        for (const id of found) expect(id).toMatch(/^[^<>\s\p{Cc}]+$/u);
        expect(parseMessageIds(bracketed(found).join(' '))).toEqual(found);
      }),
    );
  });
});

describe('thread keys', () => {
  test('the own id comes first, then from the oldest to the parent, each once', () => {
    expect(
      threadKeys({
        messageId: '<me@client.com>',
        inReplyTo: '<2@client.com>',
        references: ['<1@client.com> <2@client.com>', '<me@client.com>'],
      }),
    ).toEqual(['me@client.com', '1@client.com', '2@client.com']);
  });

  test('a mail without an id still has its parents', () => {
    expect(threadKeys({ messageId: null, inReplyTo: '1@client.com', references: [] })).toEqual(['1@client.com']);
    expect(threadKeys({ messageId: null, inReplyTo: null, references: [] })).toEqual([]);
  });

  test('of thousands, the first and the last fifty count', () => {
    const keys = threadKeys({
      messageId: '<me@client.com>',
      inReplyTo: '<parent@client.com>',
      references: bracketed(ids(1, 5000)),
    });
    expect(keys).toEqual(['me@client.com', '1@client.com', ...ids(4953, 5000), 'parent@client.com']);
    expect(keys.length).toBe(1 + 50);
  });
});

describe('references of a reply', () => {
  test('the parent stands last, once', () => {
    expect(
      referencesForReply({
        messageId: '<3@client.com>',
        references: ['<1@client.com>', '<3@client.com>', '2@client.com'],
      }),
    ).toEqual(ids(1, 3));
    expect(referencesForReply({ messageId: null, references: [] })).toEqual([]);
  });

  test('twenty at most: the first, and the newest', () => {
    const references = referencesForReply({ messageId: '<40@client.com>', references: bracketed(ids(1, 39)) });
    expect(references).toEqual(['1@client.com', ...ids(22, 40)]);
  });
});

describe('subjects', () => {
  test.each([
    ['Ma commande', 'Re: Ma commande'],
    ['Re: Ma commande', 'Re: Ma commande'],
    ['RE : Re: AW: SV: Re[2]: Ma commande', 'Re: Ma commande'],
    ['Réf\u00a0: Ma commande', 'Re: Ma commande'],
    ['Re\u0301f. : Ma commande', 'Re: Ma commande'],
    ['TR : Ma commande', 'Re: TR : Ma commande'],
    ['Re: Fwd: Ma commande', 'Re: Fwd: Ma commande'],
    ['Retard : commande', 'Re: Retard : commande'],
    ['Ref: 1042', 'Re: Ref: 1042'],
    ['a\r\nBcc: x@evil.test', 'Re: a Bcc: x@evil.test'],
    ['', 'Re:'],
    ['Re:', 'Re:'],
  ])('%j is answered as %j', (subject, reply) => {
    expect(replySubject(subject)).toBe(reply);
  });

  test.each([
    ['Re: [club] TR : Fwd: AW: Ma commande (fwd) (Fwd)', 'Ma commande'],
    ['[club] [x] Re: Ma commande', 'Ma commande'],
    ['[Urgent]', '[Urgent]'],
    ['Re: [Urgent]', '[Urgent]'],
    ['WG: WG: Ma commande', 'Ma commande'],
    ['Re:', ''],
    ['Trois : un', 'Trois : un'],
  ])('%j is about %j', (subject, base) => {
    expect(baseSubject(subject)).toBe(base);
  });

  test('answering an answer changes nothing, and a subject never breaks its header', () => {
    const subject = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('Re:', 'RE :', 'TR: ', '[x]', '(fwd)', 'Ma', ' ', '\r\n'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(subject, (text) => {
        const reply = replySubject(text);
        expect(replySubject(reply)).toBe(reply);
        expect(reply).not.toMatch(/\p{Cc}/u);
        expect(baseSubject(reply)).toBe(baseSubject(text));
      }),
    );
  });
});

test.each(['<', '<a', 'a@b ', '<a@b>', 'Re: ', '[x] ', '(fwd)', ' ', 'Re[', '[', '\r\n '])(
  'a megabyte of %j takes less than a second',
  (piece) => {
    const hostile = `${piece.repeat(Math.ceil(1_000_000 / piece.length))}x`;
    const started = performance.now();
    threadKeys({ messageId: hostile, inReplyTo: hostile, references: [hostile] });
    replySubject(hostile);
    baseSubject(hostile);
    expect(performance.now() - started).toBeLessThan(1000);
  },
);
