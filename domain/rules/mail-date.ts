// The instant a mail names. Own code, because Date.parse reads a date without a zone in the machine's zone: two
// workers would give one mail two identities.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const ZONE_HOURS: Record<string, number> = {
  ...{ ut: 0, utc: 0, gmt: 0, z: 0, est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 },
  ...{ cet: 1, cest: 2, bst: 1 },
};
const MAIL_DATE =
  /^(?:[a-z]{3,9}(?:, ?| ))?(\d{1,2})[ -]([a-z]{3})[a-z]{0,6}[ -](\d{2,4}) (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([+-]\d{4}|[a-z]{1,5}))?$/;
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})[t ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(z|[+-]\d{2}:?\d{2})?$/;

/**
 * @param date as RFC 5322 3.3 writes it (obsolete forms too) or in ISO 8601; without a zone it counts as UTC
 * @returns whole seconds since 1970, or null when it is no date
 */
export function mailInstant(date: string): number | null {
  if (date.length > 200) return null;
  const plain = withoutComments(date).replace(/\s+/g, ' ').trim().toLowerCase();
  const mail = MAIL_DATE.exec(plain);
  if (mail)
    return seconds(fullYear(mail[3]!), MONTHS.indexOf(mail[2]!), mail[1]!, mail[4]!, mail[5]!, mail[6], mail[7]);
  const iso = ISO_DATE.exec(plain);
  return (
    iso && seconds(Number(iso[1]), Number(iso[2]) - 1, iso[3]!, iso[4]!, iso[5]!, iso[6], iso[7]?.replace(':', ''))
  );
}

function seconds(
  year: number,
  month: number,
  day: string,
  hour: string,
  minute: string,
  second: string | undefined,
  zone: string | undefined,
): number | null {
  const offset = offsetMinutes(zone ?? 'z');
  if (month < 0 || month > 11 || offset === null) return null;
  if (Number(day) > 31 || Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 60) return null;
  return Date.UTC(year, month, Number(day), Number(hour), Number(minute) - offset, Number(second ?? 0)) / 1000;
}

function offsetMinutes(zone: string): number | null {
  const numeric = /^([+-])(\d{2})(\d{2})$/.exec(zone);
  if (numeric) return (numeric[1] === '-' ? -1 : 1) * (Number(numeric[2]) * 60 + Number(numeric[3]));
  return Object.hasOwn(ZONE_HOURS, zone) ? ZONE_HOURS[zone]! * 60 : null;
}

/** RFC 5322 4.3: years of two and three digits. */
function fullYear(year: string): number {
  const number = Number(year);
  return year.length === 4 ? number : number < 50 && year.length === 2 ? 2000 + number : 1900 + number;
}

/** `(CEST)` behind the zone; comments nest. */
function withoutComments(date: string): string {
  let depth = 0;
  let plain = '';
  for (const character of date) {
    if (character === '(') depth++;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0) plain += character;
  }
  return plain;
}
