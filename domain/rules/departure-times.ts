// The moments a company schedules a mail for: the mornings of its own time zone, wherever the agent sits.
import { Temporal } from 'temporal-polyfill';
import { localDate } from './opening-hours.ts';

const MORNING = '09:00';
const DAYS_OF_A_WEEK = 7;

/** @param now epoch ms @returns epoch ms */
export function tomorrowMorning(now: number, timeZone: string): number {
  return morningOf(localDate(now, timeZone).add({ days: 1 }), timeZone);
}

/** The next Monday after today. */
export function mondayMorning(now: number, timeZone: string): number {
  const today = localDate(now, timeZone);
  return morningOf(today.add({ days: DAYS_OF_A_WEEK + 1 - today.dayOfWeek }), timeZone);
}

function morningOf(date: Temporal.PlainDate, timeZone: string): number {
  return date.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(MORNING) }).epochMilliseconds;
}
