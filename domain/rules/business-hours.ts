// Time as a company counts it, for follow-ups, deadlines and response times. Instants are
// epoch milliseconds; hours must have passed `businessHoursProblems`. Where a company never opens, plain time counts,
// so that no promise is lost for ever.
import { type BusinessHours, localDate, openDates, openIntervals, sameTimeOn, searchEnd } from './opening-hours.ts';

export { businessHoursProblems } from './business-hours-problems.ts';
export type { BusinessHours } from './opening-hours.ts';

/** @returns `at` itself when the company is open then, or never opens; else the next opening. */
export function nextBusinessInstant(at: number, hours: BusinessHours): number {
  const first = openIntervals(at, hours).next().value;
  return first ? Math.max(at, first.from) : at;
}

/**
 * Counts open time only. @param durationMs not negative; 0 gives the next open instant.
 * @returns the first instant at which so much open time has passed; beyond three years the rest counts as plain time
 */
export function addBusinessTime(at: number, durationMs: number, hours: BusinessHours): number {
  let rest = Math.max(0, durationMs);
  let opens = false;
  for (const { from, to } of openIntervals(at, hours)) {
    opens = true;
    const start = Math.max(at, from);
    if (rest <= to - start) return start + rest;
    rest -= to - start;
  }
  return (opens ? searchEnd(at, hours) : at) + rest;
}

/** Open milliseconds from `from` to `to`; 0 when `to` is not later. At most the first three years are counted. */
export function businessTimeBetween(from: number, to: number, hours: BusinessHours): number {
  let open = 0;
  if (to <= from) return open;
  for (const interval of openIntervals(from, hours)) {
    if (interval.from >= to) break;
    open += Math.min(to, interval.to) - Math.max(from, interval.from);
  }
  return open;
}

/**
 * The same local time `days` open days later, moved to the next opening where the company is closed then. What happens
 * in closed time counts from the next opening: a Saturday is no earlier than the Friday evening before it.
 */
export function addBusinessDays(at: number, days: number, hours: BusinessHours): number {
  const wanted = Math.max(0, Math.trunc(days));
  const start = nextBusinessInstant(at, hours);
  if (wanted === 0) return start;
  let date = localDate(start, hours.timeZone);
  let counted = 0;
  for (const open of openDates(start, hours)) {
    date = open;
    if (++counted === wanted) break;
  }
  const target = sameTimeOn(start, date.add({ days: wanted - counted }), hours.timeZone);
  return nextBusinessInstant(target, hours);
}
