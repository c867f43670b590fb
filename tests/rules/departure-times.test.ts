import { describe, expect, test } from '@jest/globals';
import { mondayMorning, tomorrowMorning } from '#domain/rules/departure-times.ts';

const at = (iso: string) => new Date(iso).getTime();
const iso = (ms: number) => new Date(ms).toISOString();

describe('a morning of the company', () => {
  test('is nine o’clock of its own zone, on its own tomorrow', () => {
    // 23:30 in Montréal is the next day in Paris already.
    expect(iso(tomorrowMorning(at('2026-07-02T03:30:00Z'), 'America/Montreal'))).toBe('2026-07-02T13:00:00.000Z');
    expect(iso(tomorrowMorning(at('2026-07-02T03:30:00Z'), 'Europe/Paris'))).toBe('2026-07-03T07:00:00.000Z');
  });

  test('keeps its time when the clock changes in the night before', () => {
    expect(iso(tomorrowMorning(at('2026-10-24T10:00:00Z'), 'Europe/Paris'))).toBe('2026-10-25T08:00:00.000Z');
  });

  test('of Monday is the next one, on a Monday too', () => {
    expect(iso(mondayMorning(at('2026-11-25T10:00:00Z'), 'Europe/Paris'))).toBe('2026-11-30T08:00:00.000Z');
    expect(iso(mondayMorning(at('2026-11-29T22:59:00Z'), 'Europe/Paris'))).toBe('2026-11-30T08:00:00.000Z');
    expect(iso(mondayMorning(at('2026-11-30T06:00:00Z'), 'Europe/Paris'))).toBe('2026-12-07T08:00:00.000Z');
  });
});
