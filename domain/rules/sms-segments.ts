// How many SMS a text costs (3GPP TS 23.038): 160 characters of the GSM alphabet, or 70 of UCS-2 as soon as one
// character is outside of it; split, each part gives seven (or three) of them to the header that joins it again.

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** Each takes two places: an escape and itself. */
const EXTENDED = '\f^{}\\[~]|€';

const LIMITS = { 'gsm-7': { alone: 160, part: 153 }, 'ucs-2': { alone: 70, part: 67 } } as const;

export type SmsSize = {
  encoding: 'gsm-7' | 'ucs-2';
  segments: number;
  /** Places that are used and that one more segment would begin after. */
  used: number;
  left: number;
};

export function sizeOfSms(text: string): SmsSize {
  const characters = [...text];
  const isGsm = characters.every((one) => BASIC.includes(one) || EXTENDED.includes(one));
  const encoding = isGsm ? 'gsm-7' : 'ucs-2';
  const widths = characters.map((one) => (isGsm ? (EXTENDED.includes(one) ? 2 : 1) : one.length));
  const used = widths.reduce((sum, width) => sum + width, 0);
  const { alone, part } = LIMITS[encoding];
  if (used <= alone) return { encoding, segments: used === 0 ? 0 : 1, used, left: alone - used };
  const { segments, last } = split(widths, part);
  return { encoding, segments, used, left: part - last };
}

// An escape and its character, or the two halves of an emoji, never stand in two segments: the rest of one stays empty.
function split(widths: readonly number[], part: number): { segments: number; last: number } {
  let segments = 1;
  let last = 0;
  for (const width of widths) {
    if (last + width > part) {
      segments += 1;
      last = 0;
    }
    last += width;
  }
  return { segments, last };
}
