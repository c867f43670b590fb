// Are these opening hours? Asked before they are stored; business-hours.ts relies on it.
import { Temporal } from 'temporal-polyfill';

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const INTERVALS_A_DAY = 10;
const HOLIDAYS = 1000;

/**
 * @param value anything, such as the JSON of a request
 * @returns [] when it is valid `BusinessHours`; else sentences saying what to change
 */
export function businessHoursProblems(value: unknown): string[] {
  if (!isObject(value)) return ['Give time zone, days and holidays.'];
  return [...timeZoneProblems(value.timeZone), ...daysProblems(value.days), ...holidaysProblems(value.holidays)];
}

function timeZoneProblems(timeZone: unknown): string[] {
  if (typeof timeZone === 'string' && timeZone.length <= 100) {
    try {
      Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
      return [];
    } catch {
      // Said below.
    }
  }
  return ['Choose a time zone by its name, such as Europe/Paris.'];
}

function daysProblems(days: unknown): string[] {
  if (!isObject(days)) return ['Give the opening hours by weekday, 1 (Monday) to 7 (Sunday).'];
  const unknown = Object.keys(days).some((day) => !/^[1-7]$/.test(day));
  const problems = unknown ? ['Use weekdays from 1 (Monday) to 7 (Sunday) only.'] : [];
  for (let day = 1; day <= 7; day++) {
    const problem = days[day] === undefined ? null : dayProblem(days[day]);
    if (problem) problems.push(`${WEEKDAYS[day - 1]}: ${problem}`);
  }
  return problems;
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

function dayProblem(intervals: unknown): string | null {
  if (!Array.isArray(intervals)) return 'give a list of opening hours, empty when closed.';
  if (intervals.length > INTERVALS_A_DAY) return `use at most ${INTERVALS_A_DAY} opening hours a day.`;
  for (const interval of intervals) {
    if (!isObject(interval) || !isTime(interval.from) || !(isTime(interval.to) || interval.to === '24:00')) {
      return 'write times as 09:00; the end of the day is 24:00.';
    }
    if (interval.from >= String(interval.to)) return 'close later than you open; divide a night at midnight.';
  }
  const sorted = [...intervals].sort((a, b) => (a.from < b.from ? -1 : 1));
  const overlap = sorted.some((interval, index) => index > 0 && interval.from < sorted[index - 1].to);
  return overlap ? 'opening hours must not overlap.' : null;
}

function holidaysProblems(holidays: unknown): string[] {
  if (!Array.isArray(holidays)) return ['Give the holidays as a list, empty when there are none.'];
  if (holidays.length > HOLIDAYS) return [`Use at most ${HOLIDAYS} holidays: remove those that are over.`];
  return holidays.every(isDate) ? [] : ['Write holidays as YYYY-MM-DD, such as 2026-12-25.'];
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && TIME.test(value);
}

function isDate(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  try {
    return Temporal.PlainDate.from(value).toString() === value;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
