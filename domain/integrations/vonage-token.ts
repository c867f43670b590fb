// The two JSON web tokens of Vonage's Messages API (RFC 7519): the one its webhooks carry, HMAC-SHA256 with the
// account's signature secret, and the one we call it with, RSA-SHA256 with an application's private key.
import { createHash, createHmac, randomUUID, sign, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

const LONGEST_TOKEN = 4_000;

const claimsSchema = z.object({
  iat: z.number(),
  jti: z.string().min(1),
  exp: z.number().optional(),
  api_key: z.string().optional(),
  application_id: z.string().optional(),
  payload_hash: z.string().optional(),
});

export type WebhookClaims = z.output<typeof claimsSchema>;

/** Reads a token without believing it: only to find out whose it claims to be. @returns null when it is none */
export function readClaims(token: string): WebhookClaims | null {
  const [, payload, , rest] = token.length <= LONGEST_TOKEN ? token.split('.') : [];
  if (!payload || rest !== undefined) return null;
  const claims = claimsSchema.safeParse(parseSegment(payload));
  return claims.success ? claims.data : null;
}

/**
 * Checks the signature, pinned to HS256 whatever the token says of itself, and that it was made for these bytes.
 * Age, account and replay are the caller's to judge.
 * @returns null when it does not hold
 */
export function verifyWebhookToken(token: string, secret: string, body: Buffer): WebhookClaims | null {
  const claims = readClaims(token);
  const [header, payload, signature] = token.split('.');
  if (!claims || secret === '' || algorithmOf(header!) !== 'HS256') return null;
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
  if (!equalInConstantTime(signature!, expected)) return null;
  return equalInConstantTime((claims.payload_hash ?? '').toLowerCase(), sha256(body)) ? claims : null;
}

/** For the Messages API; good for five minutes. @param privateKey PEM */
export function applicationToken(applicationId: string, privateKey: string, nowSeconds: number): string {
  const claims = { application_id: applicationId, iat: nowSeconds, exp: nowSeconds + 300, jti: randomUUID() };
  const text = `${segment({ alg: 'RS256', typ: 'JWT' })}.${segment(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
}

function algorithmOf(header: string): unknown {
  return (parseSegment(header) as { alg?: unknown } | null)?.alg;
}

function parseSegment(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

function segment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

function equalInConstantTime(given: string, expected: string): boolean {
  const one = Buffer.from(given);
  const other = Buffer.from(expected);
  return one.length === other.length && timingSafeEqual(one, other);
}
