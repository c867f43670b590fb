import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sizeOfSms } from '#domain/rules/sms-segments.ts';

const GSM = [...'abcXYZ 019éèàùÇ@£$¥ÄÖÜñ¿!?\n'];
const EXTENDED = [...'^{}\\[~]|€'];

describe('an SMS', () => {
  test.each([
    ['', { encoding: 'gsm-7', segments: 0, used: 0, left: 160 }],
    ['Bonjour', { encoding: 'gsm-7', segments: 1, used: 7, left: 153 }],
    ['a'.repeat(160), { encoding: 'gsm-7', segments: 1, used: 160, left: 0 }],
    ['a'.repeat(161), { encoding: 'gsm-7', segments: 2, used: 161, left: 145 }],
    ['a'.repeat(306), { encoding: 'gsm-7', segments: 2, used: 306, left: 0 }],
    ['a'.repeat(307), { encoding: 'gsm-7', segments: 3, used: 307, left: 152 }],
    ['€', { encoding: 'gsm-7', segments: 1, used: 2, left: 158 }],
    ['ç', { encoding: 'ucs-2', segments: 1, used: 1, left: 69 }],
    ['ê', { encoding: 'ucs-2', segments: 1, used: 1, left: 69 }],
    ['l’été', { encoding: 'ucs-2', segments: 1, used: 5, left: 65 }],
    ['ê'.repeat(70), { encoding: 'ucs-2', segments: 1, used: 70, left: 0 }],
    ['ê'.repeat(71), { encoding: 'ucs-2', segments: 2, used: 71, left: 63 }],
    ['🙂', { encoding: 'ucs-2', segments: 1, used: 2, left: 68 }],
    // The escape of the 153rd place cannot be parted from its character.
    [`${'a'.repeat(152)}€${'a'.repeat(10)}`, { encoding: 'gsm-7', segments: 2, used: 164, left: 141 }],
    [`${'ê'.repeat(66)}🙂${'ê'.repeat(4)}`, { encoding: 'ucs-2', segments: 2, used: 72, left: 61 }],
  ])('of %j takes its segments', (text, size) => {
    expect(sizeOfSms(text)).toEqual(size);
  });

  const gsmText = fc.array(fc.constantFrom(...GSM, ...EXTENDED), { maxLength: 800 }).map((list) => list.join(''));

  test('of the GSM alphabet alone is one of GSM-7, whatever its length', () => {
    fc.assert(fc.property(gsmText, (text) => sizeOfSms(text).encoding === 'gsm-7'));
  });

  test('never needs fewer segments for more text, nor room that is not there', () => {
    fc.assert(
      fc.property(fc.oneof(gsmText, fc.string({ unit: 'grapheme', maxLength: 400 })), gsmText, (text, more) => {
        const one = sizeOfSms(text);
        const both = sizeOfSms(text + more);
        expect(both.segments).toBeGreaterThanOrEqual(one.segments);
        expect(one.left).toBeGreaterThanOrEqual(0);
        const room = one.encoding === 'gsm-7' ? [160, 153] : [70, 67];
        const perSegment = one.segments > 1 ? room[1]! : room[0]!;
        expect(one.used + one.left).toBeLessThanOrEqual(Math.max(1, one.segments) * perSegment);
      }),
    );
  });

  test('takes one segment more when what is left is passed by one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), (length) => {
        const text = 'a'.repeat(length);
        const { segments, left } = sizeOfSms(text);
        expect(sizeOfSms(text + 'a'.repeat(left)).segments).toBe(segments);
        expect(sizeOfSms(text + 'a'.repeat(left + 1)).segments).toBe(segments + 1);
      }),
    );
  });
});
