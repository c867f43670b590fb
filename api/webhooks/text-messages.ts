// The doors of Vonage, for SMS and WhatsApp, messages and their delivery receipts. One address serves every company.
// Vonage repeats for a day what is answered with 5xx and drops what is answered with 401 or another 4xx, so each answer
// says what is to become of the call:
//   200  committed, or committed before
//   503  not taken, come again: the database is away, no signature (a rare unsigned call is repeated signed), or a
//        number and account that nobody here has connected. Nobody could read it here and a 2xx would lose it in
//        silence; within the day of repeats an admin can still connect the number
//   401  the signature does not hold: repeating would not mend it, and an admin sees it in quarantine. A message for a
//        number that is not connected, of an account that is, stands there too; it was kept whole, so it answers 200
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { type CallAsItCame, quarantine } from '#domain/integrations/quarantined-call.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { BadSignature, NotNow } from '../refusals.ts';
import { type Admission, judge } from './admission.ts';
import { ConnectedNumbers, type TextChannel } from './connected-numbers.ts';
import { letIn } from './let-in.ts';
import { factsOf, readCall, type VonageCall } from './vonage-call.ts';

/** Text and addresses of files: the files themselves are fetched later. */
const LARGEST_BODY = '256kb';
const COME_AGAIN_AFTER_SECONDS = 60;

export function textWebhooks(dependencies: ApiDependencies): Router {
  const numbers = new ConnectedNumbers(dependencies.database, dependencies.keys);
  const router = Router();
  const body = express.raw({ type: () => true, limit: LARGEST_BODY });
  for (const channel of ['sms', 'whatsapp'] as const) {
    for (const kind of ['message', 'status'] as const) {
      const path = kind === 'message' ? `/${channel}` : `/${channel}/status`;
      const door = receive(dependencies, numbers, channel, kind);
      router.post(path, body, door);
      if (channel === 'sms') router.get(path, door);
    }
  }
  return router;
}

function receive(
  dependencies: ApiDependencies,
  numbers: ConnectedNumbers,
  channel: TextChannel,
  kind: CallAsItCame['kind'],
): RequestHandler {
  return async (request, response) => {
    const call = callOf(request, kind);
    // The dashboard looks whether there is anybody at the address when it is typed in.
    if (call.raw.length === 0 && call.token === null) return void response.send('This is a door for Vonage.\n');
    try {
      await admit(dependencies, numbers, channel, call, response);
    } catch (error) {
      if (error instanceof BadSignature || error instanceof NotNow) throw error;
      dependencies.log.error({ err: error, channel, kind }, 'A call could not be kept, and will be repeated');
      throw comeAgain(response, 'webhook.not-kept', 'It could not be kept: send it again.');
    }
  };
}

function callOf(request: Request, kind: CallAsItCame['kind']): VonageCall {
  const token = /^Bearer\s+(\S+)$/i.exec(request.get('authorization') ?? '')?.[1] ?? null;
  if (request.method === 'POST') {
    const raw: Buffer = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const isForm = /^application\/x-www-form-urlencoded/i.test(request.get('content-type') ?? '');
    return readCall({ kind, encoding: isForm ? 'form' : 'json', token }, raw);
  }
  const query = request.originalUrl.indexOf('?');
  const raw = Buffer.from(query < 0 ? '' : request.originalUrl.slice(query + 1));
  return readCall({ kind, encoding: 'query', token: null }, raw);
}

async function admit(
  dependencies: ApiDependencies,
  numbers: ConnectedNumbers,
  channel: TextChannel,
  call: VonageCall,
  response: Response,
): Promise<void> {
  const facts = factsOf(call);
  const now = Math.floor(Date.now() / 1000);
  let admission = judge(call, await numbers.of(channel, facts), now);
  // Vonage does not repeat what is refused: never refuse by what is only remembered.
  if (admission.verdict === 'quarantine') admission = judge(call, await numbers.of(channel, facts, true), now);
  if (admission.verdict === 'in') {
    const isNew = await letIn(dependencies, call, { channel, ...admission });
    response.json({ status: isNew ? 'accepted' : 'already-accepted' });
    return;
  }
  if (admission.verdict === 'nobody') {
    dependencies.log.warn({ channel, kind: call.kind }, 'A call came for a number that no company has connected');
    throw comeAgain(response, 'number.not-connected', 'This number is not connected here: connect it in the settings.');
  }
  await setAside(dependencies, channel, call, admission, response);
}

async function setAside(
  { database }: ApiDependencies,
  channel: TextChannel,
  call: VonageCall,
  { reason, numbers }: Extract<Admission, { verdict: 'quarantine' }>,
  response: Response,
): Promise<void> {
  const { kind, encoding, token, raw } = call;
  // What nobody signed is not kept, and what may be another company's is not shown to this one: both are counted.
  const isKept = reason !== 'unsigned' && numbers.length === 1;
  let kept = false;
  for (const number of numbers) {
    kept = await database.inTenant(number.tenantId, (em) =>
      quarantine(em, number.tenantId, {
        channel,
        integrationId: number.byNumber ? number.integrationId : null,
        number: isKept ? factsOf(call).number : null,
        reason,
        kept: isKept ? { raw, call: { kind, encoding, token } } : null,
      }),
    );
  }
  if (reason === 'unsigned')
    throw comeAgain(
      response,
      'signature.missing',
      'Sign the calls: switch signed webhooks on in the Vonage dashboard.',
    );
  if (reason === 'unknown-number') {
    if (!kept) throw comeAgain(response, 'number.not-connected', 'This number is not connected: connect it first.');
    response.json({ status: 'quarantined' });
    return;
  }
  throw new BadSignature(
    `signature.${reason === 'too-old' ? 'stale' : 'wrong'}`,
    'The signature does not hold: compare signature secret and algorithm in the Vonage dashboard and in the settings.',
  );
}

function comeAgain(response: Response, code: string, sentence: string): NotNow {
  response.set('Retry-After', String(COME_AGAIN_AFTER_SECONDS));
  return new NotNow(code, sentence);
}
