import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addBusinessDays,
  addBusinessTime,
  type BusinessHours,
  businessHoursProblems,
  businessTimeBetween,
  nextBusinessInstant,
} from '../../domain/rules/business-hours.ts';

const HOUR = 3_600_000;
const DAY_HOURS = [
  { from: '09:00', to: '12:00' },
  { from: '14:00', to: '18:00' },
];
/** acme, in Paris: seven hours on weekdays. 2026-05-01 and 2026-05-08 are holidays. */
const ACME: BusinessHours = {
  timeZone: 'Europe/Paris',
  days: { 1: DAY_HOURS, 2: DAY_HOURS, 3: DAY_HOURS, 4: DAY_HOURS, 5: DAY_HOURS, 6: [] },
  holidays: ['2026-05-01', '2026-05-08'],
};
const ALWAYS: BusinessHours = {
  timeZone: 'America/New_York',
  days: Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((day) => [day, [{ from: '00:00', to: '24:00' }]])),
  holidays: [],
};
const NEVER: BusinessHours = { timeZone: 'Europe/Paris', days: {}, holidays: [] };
/** Paris is two hours ahead of UTC in May. */
const may = (local: string) => Date.parse(`2026-05-${local}:00+02:00`);

describe('the next open instant', () => {
  test.each([
    ['inside', '04T10:30', '04T10:30'],
    ['at opening', '04T09:00', '04T09:00'],
    ['at closing for lunch', '04T12:00', '04T14:00'],
    ['in the morning', '04T06:00', '04T09:00'],
    ['on Saturday', '09T10:00', '11T09:00'],
    ['on a holiday, a Friday', '08T10:00', '11T09:00'],
  ])('%s', (_, at, next) => {
    expect(nextBusinessInstant(may(at), ACME)).toBe(may(next));
  });
});

describe('open time', () => {
  test('counts over lunch, night, weekend and holiday', () => {
    expect(addBusinessTime(may('04T11:00'), 2 * HOUR, ACME)).toBe(may('04T15:00'));
    expect(addBusinessTime(may('07T17:00'), 2 * HOUR, ACME)).toBe(may('11T10:00'));
    expect(businessTimeBetween(may('07T17:00'), may('11T10:00'), ACME)).toBe(2 * HOUR);
    expect(businessTimeBetween(may('09T00:00'), may('10T00:00'), ACME)).toBe(0);
    expect(businessTimeBetween(may('05T10:00'), may('04T10:00'), ACME)).toBe(0);
  });

  test('a full day ends at its closing, not at the next opening', () => {
    expect(addBusinessTime(may('04T09:00'), 7 * HOUR, ACME)).toBe(may('04T18:00'));
    expect(addBusinessTime(may('09T10:00'), 0, ACME)).toBe(may('11T09:00'));
    expect(addBusinessTime(may('04T10:00'), -5, ACME)).toBe(may('04T10:00'));
  });

  test('the days on which the clock changes have 23 and 25 hours', () => {
    const day = (date: string, offset: string) => Date.parse(`${date}T00:00:00${offset}`);
    expect(businessTimeBetween(day('2026-03-08', '-05:00'), day('2026-03-09', '-04:00'), ALWAYS)).toBe(23 * HOUR);
    expect(businessTimeBetween(day('2026-11-01', '-04:00'), day('2026-11-02', '-05:00'), ALWAYS)).toBe(25 * HOUR);
  });

  test('nine in the morning stays nine when summer time begins', () => {
    const friday = Date.parse('2026-03-27T17:00:00+01:00');
    expect(addBusinessTime(friday, 2 * HOUR, ACME)).toBe(Date.parse('2026-03-30T10:00:00+02:00'));
  });

  test('hours moved over each other by the clock count once', () => {
    const night = [
      { from: '02:15', to: '02:45' },
      { from: '03:00', to: '04:00' },
    ];
    const hours: BusinessHours = { timeZone: 'Europe/Paris', days: { 7: night }, holidays: [] };
    const sunday = Date.parse('2026-03-29T00:00:00+01:00');
    expect(businessTimeBetween(sunday, sunday + 12 * HOUR, hours)).toBe(HOUR);
  });
});

describe('open days', () => {
  test.each([
    ['the same time tomorrow', '04T10:30', 1, '05T10:30'],
    ['over weekend and holiday', '07T10:30', 1, '11T10:30'],
    ['out of hours moves to the opening', '04T13:00', 1, '05T14:00'],
    ['a Friday evening counts from Monday', '15T20:00', 1, '19T09:00'],
    ['a Saturday is no earlier than that Friday', '16T10:00', 1, '19T09:00'],
    ['no day at all', '16T10:00', 0, '18T09:00'],
    ['half days are none', '04T10:30', 1.9, '05T10:30'],
  ])('%s', (_, at, days, result) => {
    expect(addBusinessDays(may(at), days, ACME)).toBe(may(result));
  });
});

describe('a company that never opens', () => {
  test('gets plain time, at once', () => {
    const at = may('04T10:00');
    const holidays = Array.from({ length: 4 * 366 }, (_, n) =>
      new Date(at + (n - 5) * 24 * HOUR).toISOString().slice(0, 10),
    );
    const started = performance.now();
    for (const hours of [NEVER, { ...ACME, holidays }]) {
      expect(nextBusinessInstant(at, hours)).toBe(at);
      expect(addBusinessTime(at, 5 * HOUR, hours)).toBe(at + 5 * HOUR);
      expect(addBusinessDays(at, 3, hours)).toBe(at + 72 * HOUR);
      expect(businessTimeBetween(at, at + 10 * HOUR, hours)).toBe(0);
    }
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test('more than three years of work end all the same', () => {
    const at = may('04T10:00');
    const started = performance.now();
    const far = addBusinessTime(at, 1_000_000 * HOUR, ACME);
    expect(far).toBeGreaterThan(at + 1_000_000 * HOUR);
    expect(far).toBeGreaterThan(addBusinessTime(at, 999_999 * HOUR, ACME));
    expect(addBusinessDays(at, 100_000, ACME)).toBeGreaterThan(at + 90_000 * 24 * HOUR);
    expect(businessTimeBetween(0, 8e15, ACME)).toBeGreaterThan(5000 * HOUR);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('for all opening hours', () => {
  const time = fc
    .integer({ min: 0, max: 96 })
    .map((quarter) => `${pad(Math.trunc(quarter / 4))}:${pad((quarter % 4) * 15)}`);
  const pad = (number: number) => String(number).padStart(2, '0');
  const day = fc.uniqueArray(time, { minLength: 0, maxLength: 6 }).map((times) => {
    const sorted = times.sort();
    return Array.from({ length: Math.trunc(sorted.length / 2) }, (_, n) => ({
      from: sorted[2 * n]!,
      to: sorted[2 * n + 1]!,
    }));
  });
  const hours: fc.Arbitrary<BusinessHours> = fc
    .record({
      timeZone: fc.constantFrom('Europe/Paris', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'),
      days: fc.record({ 1: day, 2: day, 3: day, 4: day, 5: day, 6: day, 7: day }),
      holidays: fc.subarray(['2026-03-29', '2026-03-30', '2026-11-01', '2026-11-02']),
    })
    .filter(({ days }) => Object.values(days).some((one) => one.length > 0));
  // Around both clock changes of 2026.
  const at = fc.oneof(
    fc.integer({ min: Date.UTC(2026, 2, 1), max: Date.UTC(2026, 3, 10) }),
    fc.integer({ min: Date.UTC(2026, 9, 10), max: Date.UTC(2026, 10, 10) }),
  );
  const duration = fc.integer({ min: 0, max: 30 * HOUR });

  test('they are valid, and the time added is the time between', () => {
    fc.assert(
      fc.property(hours, at, duration, (open, start, ms) => {
        expect(businessHoursProblems(open)).toEqual([]);
        const end = addBusinessTime(start, ms, open);
        expect(businessTimeBetween(start, end, open)).toBe(ms);
      }),
    );
  });

  test('later in means later out, longer means later', () => {
    fc.assert(
      fc.property(hours, at, fc.nat(48 * HOUR), duration, fc.nat(HOUR), (open, start, shift, ms, more) => {
        expect(nextBusinessInstant(start + shift, open)).toBeGreaterThanOrEqual(nextBusinessInstant(start, open));
        expect(nextBusinessInstant(start, open)).toBeGreaterThanOrEqual(start);
        const end = addBusinessTime(start, ms, open);
        expect(addBusinessTime(start + shift, ms, open)).toBeGreaterThanOrEqual(end);
        expect(addBusinessTime(start, ms + more, open)).toBeGreaterThanOrEqual(end);
      }),
    );
  });

  test('open time before and after any moment adds up', () => {
    fc.assert(
      fc.property(hours, at, duration, duration, (open, start, first, second) => {
        const between =
          businessTimeBetween(start, start + first, open) +
          businessTimeBetween(start + first, start + first + second, open);
        expect(businessTimeBetween(start, start + first + second, open)).toBe(between);
      }),
    );
  });

  test('more days are never earlier, and the result is open', () => {
    fc.assert(
      fc.property(hours, at, fc.nat(8), (open, start, days) => {
        const end = addBusinessDays(start, days, open);
        expect(nextBusinessInstant(end, open)).toBe(end);
        expect(addBusinessDays(start, days + 1, open)).toBeGreaterThanOrEqual(end);
      }),
    );
    fc.assert(
      fc.property(at, fc.nat(96 * HOUR), fc.nat(8), (start, shift, days) => {
        expect(addBusinessDays(start + shift, days, ACME)).toBeGreaterThanOrEqual(addBusinessDays(start, days, ACME));
      }),
    );
  });
});

describe('what is wrong with opening hours is said', () => {
  const monday = (intervals: unknown) => ({ ...ACME, days: { 1: intervals } });
  test.each<[string, unknown, RegExp]>([
    ['nothing', null, /Give time zone/],
    ['an unknown zone', { ...ACME, timeZone: 'Mars/Olympus' }, /Europe\/Paris/],
    ['no zone', { ...ACME, timeZone: undefined }, /Europe\/Paris/],
    ['an eighth day', { ...ACME, days: { 8: [] } }, /1 \(Monday\) to 7/],
    ['days that are a list', { ...ACME, days: [] }, /by weekday/],
    ['hours that are no list', monday('09:00'), /Monday: give a list/],
    ['nine without its nought', monday([{ from: '9:00', to: '12:00' }]), /09:00/],
    ['twenty-five hours', monday([{ from: '09:00', to: '25:00' }]), /09:00/],
    ['opening at 24:00', monday([{ from: '24:00', to: '24:00' }]), /09:00/],
    ['a night', monday([{ from: '22:00', to: '06:00' }]), /divide a night/],
    [
      'an overlap',
      monday([
        { from: '10:00', to: '12:00' },
        { from: '09:00', to: '10:01' },
      ]),
      /overlap/,
    ],
    ['too many', monday(Array.from({ length: 11 }, () => ({ from: '09:00', to: '12:00' }))), /at most 10/],
    ['a holiday that is no date', { ...ACME, holidays: ['2026-02-30'] }, /YYYY-MM-DD/],
    ['a holiday in French', { ...ACME, holidays: ['01/05/2026'] }, /YYYY-MM-DD/],
    ['too many holidays', { ...ACME, holidays: Array.from({ length: 1001 }, () => '2026-05-01') }, /at most 1000/],
  ])('%s', (_, value, sentence) => {
    expect(businessHoursProblems(value).join(' ')).toMatch(sentence);
  });

  test('good hours have no problem, and any JSON is judged', () => {
    for (const hours of [ACME, ALWAYS, NEVER]) expect(businessHoursProblems(hours)).toEqual([]);
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (json, text) => {
        businessHoursProblems(json);
        businessHoursProblems({ timeZone: text, days: { 1: json }, holidays: [json, text] });
      }),
    );
  });
});
