// Phone numbers as Relais compares them: E.164 (`+33612345678`). The small metadata is enough to tell a number from
// a short code or a sender's name; it does not tell mobile from fixed.
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';

const INPUT_CHARACTERS = 64;

/**
 * @param input as typed (`06 12 34 56 78`, `+33 (0)6 12 34 56 78`) or as Vonage gives it (`33612345678`)
 * @param defaultRegion ISO 3166 code of the tenant's country, for numbers without one; unknown codes are ignored
 * @returns E.164, or null for anything that is no whole valid number: short codes, names ("AMAZON"), free text
 */
export function toE164(input: string, defaultRegion: string): string | null {
  if (input.length > INPUT_CHARACTERS) return null;
  const typed = input.trim().replace(/^tel:/i, '');
  const national = valid(typed, region(defaultRegion));
  if (national) return national;
  // Vonage writes numbers without the plus sign. A national number never gets here: it was valid above.
  const digits = typed.replace(/\D/g, '');
  return /^[1-9]/.test(typed) && digits.length >= 8 ? valid(`+${digits}`, undefined) : null;
}

/**
 * @param given as Vonage writes a number: international, without the plus sign
 * @returns E.164, or null for a short code or a sender's name
 */
export function fromVonage(given: string): string | null {
  return /^\+?\d{6,15}$/.test(given) ? valid(`+${given.replace('+', '')}`, undefined) : null;
}

/** True when both are the same valid number; two texts that are no numbers are never the same. */
export function samePhone(a: string, b: string, defaultRegion: string): boolean {
  const number = toE164(a, defaultRegion);
  return number !== null && number === toE164(b, defaultRegion);
}

function valid(typed: string, country: CountryCode | undefined): string | null {
  const number = parsePhoneNumberFromString(typed, { defaultCountry: country, extract: false });
  return number?.isValid() ? number.number : null;
}

function region(code: string): CountryCode | undefined {
  const upper = code.trim().toUpperCase();
  return isSupportedCountry(upper) ? upper : undefined;
}
