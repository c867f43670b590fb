import { m } from '#paraglide/messages.js';

const MORNING_HOUR = 9;
const MONDAY = 1;
const HOURS_LATER = 3;

/** The moments agents choose most, in their own time zone. */
export function followUpPresets(now: Date): { label: string; at: Date }[] {
  const later = new Date(now.getTime() + HOURS_LATER * 3600_000);
  later.setSeconds(0, 0);
  return [
    { label: m.in_hours({ hours: HOURS_LATER }), at: later },
    { label: m.tomorrow_morning(), at: morningAfter(now, 1) },
    { label: m.in_days({ days: 3 }), at: morningAfter(now, 3) },
    { label: m.next_monday(), at: morningAfter(now, (MONDAY - now.getDay() + 7) % 7 || 7) },
    { label: m.in_weeks({ count: 2 }), at: morningAfter(now, 14) },
  ];
}

/** As a `datetime-local` box wants it: local time without a zone. */
export function forInput(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

function morningAfter(now: Date, days: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING_HOUR);
}
