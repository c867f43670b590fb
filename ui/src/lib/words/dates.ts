// Moments and spans of time as people say them, in the reader's language and their own time zone.
import { m } from '#paraglide/messages.js';
import { getLocale } from '#paraglide/runtime.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** For the list: the time today, the weekday this week, else the day. */
export function shortMoment(iso: string, now = Date.now()): string {
  const date = new Date(iso);
  const days = daysBetween(date, new Date(now));
  if (days === 0) return formatted(date, { hour: '2-digit', minute: '2-digit' });
  if (days === 1) return m.yesterday();
  if (days > 1 && days < 7) return formatted(date, { weekday: 'short' });
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return formatted(date, { day: 'numeric', month: 'short', ...(isThisYear ? {} : { year: '2-digit' }) });
}

/** For a message: the day and the time. */
export function moment(iso: string, now = Date.now()): string {
  const date = new Date(iso);
  const days = daysBetween(date, new Date(now));
  const time = formatted(date, { hour: '2-digit', minute: '2-digit' });
  if (days === 0) return m.today_at({ time });
  if (days === 1) return m.yesterday_at({ time });
  if (days === -1) return m.tomorrow_at({ time });
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  const day = formatted(date, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
  return m.day_at({ day, time });
}

export function fullMoment(iso: string): string {
  return formatted(new Date(iso), { dateStyle: 'full', timeStyle: 'medium' });
}

/** When something takes place: two instants, or whole days, of which the last one is not part of it (RFC 5545, 3.6.1). */
export function period(start: string, end: string | null): string {
  const isWholeDays = !start.includes('T');
  const last = end && isWholeDays ? new Date(Date.parse(end) - DAY_MS) : new Date(end ?? start);
  const format = new Intl.DateTimeFormat(
    getLocale(),
    isWholeDays ? { dateStyle: 'full', timeZone: 'UTC' } : { dateStyle: 'full', timeStyle: 'short' },
  );
  const first = new Date(start);
  return last > first ? format.formatRange(first, last) : format.format(first);
}

export function timeOfDay(iso: string): string {
  return formatted(new Date(iso), { hour: '2-digit', minute: '2-digit' });
}

/** The two largest units: "2 d 4 h", "1 h 05", "12 s". */
export function span(ms: number): string {
  if (ms < MINUTE_MS) return m.span_seconds({ seconds: Math.max(0, Math.ceil(ms / 1000)) });
  if (ms < HOUR_MS) return m.span_minutes({ minutes: Math.round(ms / MINUTE_MS) });
  if (ms < DAY_MS) {
    const minutes = String(Math.floor((ms % HOUR_MS) / MINUTE_MS)).padStart(2, '0');
    return m.span_hours({ hours: Math.floor(ms / HOUR_MS), minutes });
  }
  const hours = Math.floor((ms % DAY_MS) / HOUR_MS);
  const days = Math.floor(ms / DAY_MS);
  return hours === 0 ? m.span_whole_days({ days }) : m.span_days({ days, hours });
}

/** @param day 1 is Monday */
export function weekday(day: number): string {
  return formatted(new Date(Date.UTC(2024, 0, day)), { weekday: 'long', timeZone: 'UTC' });
}

/** @param date YYYY-MM-DD, without a time or a zone */
export function wholeDay(date: string): string {
  return formatted(new Date(date), { dateStyle: 'full', timeZone: 'UTC' });
}

/** How long a step took: "under 10 ms" is said so, because a zero would look broken. */
export function tookTime(ms: number): string {
  if (ms < 1000) return m.took_ms({ ms: number(Math.max(1, Math.round(ms))) });
  return m.took_seconds({ seconds: number(ms / 1000, 1) });
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(getLocale(), { maximumFractionDigits: digits }).format(value);
}

export function percent(share: number): string {
  return new Intl.NumberFormat(getLocale(), { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

export function fileSize(bytes: number): string {
  const units = [m.bytes, m.kilobytes, m.megabytes];
  const power = Math.min(units.length - 1, bytes < 1000 ? 0 : bytes < 1_000_000 ? 1 : 2);
  return units[power]!({ size: number(bytes / 1000 ** power, power === 2 ? 1 : 0) });
}

function formatted(date: Date, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(getLocale(), options).format(date);
}

// Whole days by the calendar, not by 24 hours: last night is yesterday.
function daysBetween(date: Date, now: Date): number {
  const midnight = (of: Date) => Date.UTC(of.getFullYear(), of.getMonth(), of.getDate());
  return Math.round((midnight(now) - midnight(date)) / DAY_MS);
}

export function capitalised(text: string): string {
  return text.charAt(0).toLocaleUpperCase(getLocale()) + text.slice(1);
}
