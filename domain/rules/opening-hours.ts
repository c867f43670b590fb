// The stretches of time in which a company is open, as instants, for business-hours.ts. An interval belongs to one
// local day; at a change to summer time a wall clock time that does not exist means the instant it jumps to.
import { Temporal } from 'temporal-polyfill';

/** Days: 1 = Monday to 7 = Sunday (ISO 8601), times '09:00' up to '24:00'; holidays 'YYYY-MM-DD'. */
export type BusinessHours = {
  timeZone: string;
  days: { [isoWeekday: number]: { from: string; to: string }[] | undefined };
  holidays: string[];
};

/** Epoch milliseconds; `to` is not open any more. */
export type OpenInterval = { from: number; to: number };

/** The search for open time ends after three years: a company that is closed so long is closed. */
const SEARCH_DAYS = 3 * 366;

/** Open intervals that end after `at` (epoch ms), in order, for three years. */
export function* openIntervals(at: number, hours: BusinessHours): Generator<OpenInterval> {
  const today = localDate(at, hours.timeZone);
  for (let day = 0; day <= SEARCH_DAYS; day++) {
    const date = today.add({ days: day });
    for (const interval of intervalsOn(date, hours)) if (interval.to > at) yield interval;
  }
}

/** The end of the search from `at`, in epoch ms. */
export function searchEnd(at: number, { timeZone }: BusinessHours): number {
  return instantOf(localDate(at, timeZone).add({ days: SEARCH_DAYS + 1 }), '00:00', timeZone);
}

/** Dates after that of `at` on which the company opens at all, in order, for three years. */
export function* openDates(at: number, hours: BusinessHours): Generator<Temporal.PlainDate> {
  const today = localDate(at, hours.timeZone);
  for (let day = 1; day <= SEARCH_DAYS; day++) {
    const date = today.add({ days: day });
    if (intervalsOn(date, hours).length > 0) yield date;
  }
}

/** The same wall clock time on another date, in epoch ms. */
export function sameTimeOn(at: number, date: Temporal.PlainDate, timeZone: string): number {
  const time = zoned(at, timeZone).toPlainTime();
  return date.toZonedDateTime({ timeZone, plainTime: time }).epochMilliseconds;
}

export function localDate(at: number, timeZone: string): Temporal.PlainDate {
  return zoned(at, timeZone).toPlainDate();
}

function intervalsOn(date: Temporal.PlainDate, { days, holidays, timeZone }: BusinessHours): OpenInterval[] {
  const intervals = days[date.dayOfWeek];
  if (!intervals || intervals.length === 0 || holidays.includes(date.toString())) return [];
  let closed = Number.NEGATIVE_INFINITY;
  return intervals
    .map(({ from, to }) => ({ from: instantOf(date, from, timeZone), to: instantOf(date, to, timeZone) }))
    .sort((a, b) => a.from - b.from)
    .flatMap(({ from, to }) => {
      // Where the clock jumps, intervals of its hour may move over each other: no instant counts twice.
      const start = Math.max(from, closed);
      closed = Math.max(closed, to);
      return start < to ? [{ from: start, to }] : [];
    });
}

function instantOf(date: Temporal.PlainDate, time: string, timeZone: string): number {
  const endOfDay = time === '24:00';
  const plainTime = Temporal.PlainTime.from(endOfDay ? '00:00' : time);
  const day = endOfDay ? date.add({ days: 1 }) : date;
  return day.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds;
}

function zoned(at: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
}
