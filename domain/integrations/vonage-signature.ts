// How Vonage's SMS API signs a call (developer.vonage.com, signing messages): every parameter but `sig`, sorted by name,
// with `&` and `=` in values replaced by `_`, joined as `&name=value…`; then by the algorithm the account has chosen.
// The vendor's own check throws on a missing signature and on lists, and does not compare in constant time.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SignatureAlgorithm } from '#domain/rules/words.ts';

export type SmsParameters = Readonly<Record<string, string>>;

/** @returns lower-case hexadecimal digits */
export function signParameters(parameters: SmsParameters, secret: string, algorithm: SignatureAlgorithm): string {
  const text = Object.keys(parameters)
    .filter((name) => name !== 'sig')
    .sort()
    .map((name) => `&${name}=${parameters[name]!.replace(/[&=]/g, '_')}`)
    .join('');
  if (algorithm === 'md5hash') return createHash('md5').update(`${text}${secret}`).digest('hex');
  return createHmac(algorithm, secret).update(text).digest('hex');
}

/** True when `sig` stands for exactly these parameters; it says nothing of their age. */
export function isSignedBy(parameters: SmsParameters, secret: string, algorithm: SignatureAlgorithm): boolean {
  const given = Buffer.from((parameters.sig ?? '').toLowerCase());
  const expected = Buffer.from(signParameters(parameters, secret, algorithm));
  return secret !== '' && given.length === expected.length && timingSafeEqual(given, expected);
}
