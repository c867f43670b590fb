// The signature of custom webhooks, as Stripe and GitHub do it: `Relais-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256
// of "<t>.<raw body>">`. During a rotation several v1 may stand side by side.
import { createHmac, timingSafeEqual } from 'node:crypto';

export const SIGNATURE_HEADER = 'relais-signature';
export const IDEMPOTENCY_HEADER = 'idempotency-key';
/** How far the clocks of sender and receiver may be apart. */
export const TOLERANCE_SECONDS = 300;
const MOST_SIGNATURES = 5;

export type SignatureVerdict = 'good' | 'missing' | 'malformed' | 'stale' | 'wrong';

export function signWebhook(secret: string, body: Buffer | string, atSeconds: number): string {
  return `t=${atSeconds},v1=${digest(secret, atSeconds, body)}`;
}

/**
 * @param secrets every secret that may have signed, the current one first
 * @param nowSeconds unix time
 */
export function verifyWebhook(
  header: string | undefined,
  body: Buffer,
  secrets: readonly string[],
  nowSeconds: number,
): SignatureVerdict {
  if (!header) return 'missing';
  const at = signedAt(header);
  const given = valuesOf(header, 'v1');
  if (!Number.isInteger(at) || given.length === 0 || given.length > MOST_SIGNATURES) return 'malformed';
  const expected = secrets.map((secret) => digest(secret, at, body));
  const matches = given.some((one) => expected.some((wanted) => equalInConstantTime(one, wanted)));
  if (!matches) return 'wrong';
  return Math.abs(nowSeconds - at) > TOLERANCE_SECONDS ? 'stale' : 'good';
}

/** The time a signature names, unix seconds; NaN when it names none. */
export function signedAt(header = ''): number {
  return Number(valuesOf(header, 't')[0]);
}

function valuesOf(header: string, name: 't' | 'v1'): string[] {
  const parts = header.split(',').map((part) => part.trim().split('='));
  return parts.filter(([key]) => key === name).map(([, value]) => value ?? '');
}

function digest(secret: string, atSeconds: number, body: Buffer | string): string {
  return createHmac('sha256', secret).update(`${atSeconds}.`).update(body).digest('hex');
}

function equalInConstantTime(given: string, expected: string): boolean {
  const one = Buffer.from(given, 'utf8');
  const other = Buffer.from(expected, 'utf8');
  return one.length === other.length && timingSafeEqual(one, other);
}
