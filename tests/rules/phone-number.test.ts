import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { samePhone, toE164 } from '../../domain/rules/phone-number.ts';

test.each([
  ['06 12 34 56 78', 'FR'],
  ['06.12.34.56.78', 'fr'],
  ['612345678', 'FR'],
  ['+33 (0)6 12 34 56 78', 'US'],
  ['0033 6 12 34 56 78', 'FR'],
  ['33612345678', 'FR'],
  ['33612345678', 'GB'],
  ['33612345678', 'nowhere'],
  ['tel:+33612345678', 'FR'],
  ['+33612345678', ''],
])('Camille writes %s in %s and is one client', (typed, region) => {
  expect(toE164(typed, region)).toBe('+33612345678');
  expect(samePhone(typed, '+33612345678', region)).toBe(true);
});

test.each([
  'AMAZON',
  '36105',
  '',
  '12',
  '1042',
  '06 12 34',
  'commande 0612345678',
  '06 12 34 56 78 ou 06 12 34 56 79',
  '+999123456',
])('%j is no number, and not even the same as itself', (typed) => {
  expect(toE164(typed, 'FR')).toBeNull();
  expect(samePhone(typed, typed, 'FR')).toBe(false);
});

test('a foreign number without its plus sign, as Vonage gives it, keeps its country', () => {
  expect(toE164('447911123456', 'FR')).toBe('+447911123456');
  expect(samePhone('447911123456', '0612345678', 'FR')).toBe(false);
});

test('any text gives null or E.164, which stays what it is in every region', () => {
  const typed = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[+0-9 ().-]{4,20}$/),
    fc.stringMatching(/^(\+33|0033|0|33)[1-9]( ?\d\d){4}$/),
    fc.stringMatching(/^\+?1?[2-9]\d\d-?[2-9]\d{6}$/),
  );
  fc.assert(
    fc.property(typed, fc.constantFrom('FR', 'US', 'CI', 'x'), (text, region) => {
      const number = toE164(text, region);
      if (number === null) return;
      expect(number).toMatch(/^\+[1-9]\d{6,14}$/);
      expect(toE164(number, 'DE')).toBe(number);
    }),
  );
});

test('a megabyte is refused at once', () => {
  const started = performance.now();
  for (const piece of ['0', '+', '(', '1 ']) expect(toE164(piece.repeat(500_000), 'FR')).toBeNull();
  expect(performance.now() - started).toBeLessThan(500);
});
