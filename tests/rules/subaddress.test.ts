import { describe, expect, test } from '@jest/globals';
import {
  ourMessageId,
  replyAddress,
  replySecretsIn,
  usuallyTakesSubaddresses,
  withoutReplySecret,
} from '#domain/rules/subaddress.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
const REPLY = '019d2c5e-3f0a-7b61-9a3f-1f2e3d4c5b6a';
const named = (from: string) => ourMessageId(REPLY, SECRET, from);

describe('the reply address of a mail of ours', () => {
  test('carries the secret of its Message-ID, and gives it back', () => {
    const address = replyAddress('support@acme.test', named('support@acme.test'));
    expect(address).toBe(`support+r.${SECRET}@acme.test`);
    expect(replySecretsIn([address!])).toEqual([SECRET]);
    expect(withoutReplySecret(address!)).toBe('support@acme.test');
  });

  test('is found however it is written, and once', () => {
    const written = [`Support <SUPPORT+R.${SECRET.toUpperCase()}@ACME.test>`, `support+r.${SECRET}@acme.test`];
    expect(replySecretsIn(written)).toEqual([SECRET]);
  });

  test('leaves other subaddresses alone', () => {
    const others = ['support+orders@acme.test', `support+r.${SECRET}0@acme.test`, 'support+r.@acme.test', 'a@b.test'];
    expect(replySecretsIn(others)).toEqual([]);
    expect(others.map(withoutReplySecret)).toEqual(others);
  });

  test('does not exist where no server could deliver it', () => {
    const longest = `${'a'.repeat(29)}@acme.test`;
    expect(replyAddress(longest, named(longest))).toHaveLength(64 + '@acme.test'.length);
    expect(replyAddress(`a${longest}`, named(longest))).toBeNull();
    expect(replyAddress('support@acme.test', '<foreign@elsewhere.test>')).toBeNull();
  });
});

describe('without a word from an admin', () => {
  test.each([
    ['imap.gmail.com', 'support@acme.fr', 'support@acme.fr', true],
    ['imap.fastmail.com', 'support@acme.fr', 'support@acme.fr', true],
    ['outlook.office365.com', 'acme@outlook.fr', 'acme@outlook.fr', true],
    // An administrator of Microsoft 365 may have switched them off.
    ['outlook.office365.com', 'support@acme.fr', 'support@acme.fr', false],
    // Another server delivers to this address first.
    ['imap.gmail.com', 'acme.boutique@gmail.com', 'support@acme.fr', false],
    ['ssl0.ovh.net', 'support@acme.fr', 'support@acme.fr', false],
    ['imap.gmail.com.evil.test', 'support@acme.fr', 'support@acme.fr', false],
  ])('at %s, %s for %s: %s', (host, username, address, takes) => {
    expect(usuallyTakesSubaddresses(host, username, address)).toBe(takes);
  });
});
