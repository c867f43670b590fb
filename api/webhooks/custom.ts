// The door of custom webhooks: signature, form, receipt, 202. It answers as soon as the receipt is committed; Temporal
// and the model may be away.
import { createHash } from 'node:crypto';
import express, { type RequestHandler, type Response, Router } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Invalid, NotFound } from '#domain/errors.ts';
import { customMessageJsonSchema, customMessageSchema } from '#domain/integrations/custom-message.ts';
import {
  IDEMPOTENCY_HEADER,
  SIGNATURE_HEADER,
  type SignatureVerdict,
  signedAt,
  verifyWebhook,
} from '#domain/integrations/webhook-signature.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { BadSignature, DoesNotFit, TooMany } from '../refusals.ts';
import { WebhookSecrets } from './webhook-secrets.ts';

const LARGEST_BODY = '30mb';

const REFUSED: Record<Exclude<SignatureVerdict, 'good'>, string> = {
  missing: `Sign the request: ${SIGNATURE_HEADER}: t=<unix time>,v1=<hex HMAC-SHA256 of "t.body" with the secret>.`,
  malformed: 'The signature must look like t=<unix time>,v1=<64 hexadecimal digits>.',
  stale: 'The signature is more than five minutes old: sign with the current time.',
  wrong: 'The signature does not match the body: sign the exact bytes that are sent, with the current secret.',
};

export function customWebhook(dependencies: ApiDependencies): Router {
  const secrets = new WebhookSecrets(dependencies.database, dependencies.keys);
  const limiter = new RateLimiterMemory({ points: dependencies.webhookCallsPerMinute, duration: 60 });
  const router = Router();
  const schema = customMessageJsonSchema();
  router.get('/custom/schema.json', (_request, response) => void response.json(schema));
  router.post(
    '/custom/:integrationId',
    express.raw({ type: () => true, limit: LARGEST_BODY }),
    receive(dependencies, secrets, limiter),
  );
  return router;
}

function receive({ receipts }: ApiDependencies, secrets: WebhookSecrets, limiter: RateLimiterMemory): RequestHandler {
  return async (request, response) => {
    const integrationId = String(request.params.integrationId);
    const known = await secrets.of(integrationId);
    if (!known)
      throw new NotFound('webhook.not-found', 'There is no webhook at this address: copy it again from the settings.');
    const body: Buffer = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const signature = request.get(SIGNATURE_HEADER);
    const verdict = verifyWebhook(signature, body, known.secrets, Math.floor(Date.now() / 1000));
    if (verdict !== 'good') throw new BadSignature(`signature.${verdict}`, REFUSED[verdict]);
    // Only the one who has the secret uses up what the webhook may send.
    await takeTurn(limiter, integrationId, response);
    const idempotencyKey = request.get(IDEMPOTENCY_HEADER);
    checkForm(body, idempotencyKey);
    const isNew = await receipts.keep({
      tenantId: known.tenantId,
      integrationId,
      sourceId: idempotencyKey ?? ownKey(signature, body),
      format: 'custom',
      raw: body,
      origin: {},
    });
    response.status(202).json({ status: isNew ? 'accepted' : 'already-accepted' });
  };
}

async function takeTurn(limiter: RateLimiterMemory, integrationId: string, response: Response): Promise<void> {
  try {
    await limiter.consume(integrationId);
  } catch (full) {
    if (!(full instanceof RateLimiterRes)) throw full;
    const seconds = Math.ceil(full.msBeforeNext / 1000);
    response.set('Retry-After', String(seconds));
    throw new TooMany(
      'webhook.too-many',
      `This webhook takes ${limiter.points} calls a minute: send again in ${seconds} seconds. Nothing of this call was kept.`,
      { retryAfterSeconds: seconds },
    );
  }
}

// Without a key of the sender's, what was signed is what is kept once: the same call made again, by a proxy or by
// somebody who has overheard it, is no second message.
function ownKey(signature: string | undefined, body: Buffer): string {
  return `signed:${createHash('sha256')
    .update(`${signedAt(signature)}.`)
    .update(body)
    .digest('hex')}`;
}

const LONGEST_KEY = 255;

function checkForm(body: Buffer, idempotencyKey: string | undefined): void {
  if (idempotencyKey !== undefined && (idempotencyKey.length > LONGEST_KEY || !/^[\x21-\x7e]+$/.test(idempotencyKey))) {
    throw new Invalid('idempotency-key.not-valid', 'An idempotency key has up to 255 visible ASCII characters.');
  }
  const result = customMessageSchema.safeParse(parseJson(body));
  if (result.success) return;
  throw new DoesNotFit(
    result.error.issues.map((issue) => ({ path: ['body', ...issue.path].join('.'), message: issue.message })),
  );
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new Invalid('body.not-json', 'The body is not JSON: send application/json in UTF-8.');
  }
}
