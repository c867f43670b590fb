// Sends one SMS or WhatsApp message through Vonage's Messages API, and tells exactly how far it came. The connection is
// opened first: until the request has been handed over nothing can have been sent, and after it only Vonage's answer,
// or a delivery receipt, tells what became of it.
import http from 'node:http';
import https from 'node:https';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { AttemptEnd } from '#domain/conversations/reply.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { applicationToken } from '#domain/integrations/vonage-token.ts';
import type { FilledTemplate } from '#domain/rules/whatsapp-template.ts';
import { Credential } from '#domain/secrets/credential.ts';
import type { KeyRing } from '#domain/secrets/key-ring.ts';

export type VonageAccount = {
  apiKey: string;
  apiSecret: string | null;
  applicationId: string | null;
  /** PEM; with the application's id it signs the calls, else the API secret goes along. */
  privateKey: string | null;
};

export type OutgoingText = {
  channel: 'sms' | 'whatsapp';
  /** E.164 or a short code. */
  from: string;
  to: string;
  text: string;
  /** Then this is named instead of the text, which WhatsApp has. */
  template: FilledTemplate | null;
  /** Comes back in every receipt. */
  reference: string;
};

export type SendOptions = {
  url: string;
  timeoutMs: number;
  /** Called when the connection stands and nothing has been written; false breaks it off. */
  beforeHandOver: () => Promise<boolean>;
};

export async function vonageAccount(em: EntityManager, keys: KeyRing, integrationId: string): Promise<VonageAccount> {
  const integration = await em.findOneOrFail(Integration, { id: integrationId });
  const { apiKey, applicationId } = integration.numberSettings();
  const credentials = await em.find(Credential, { ownerId: integrationId });
  const secret = (name: string) => credentials.find((one) => one.name === name)?.reveal(keys) ?? null;
  return { apiKey, applicationId, apiSecret: secret('vonage-api-secret'), privateKey: secret('vonage-private-key') };
}

export function authorization({ apiKey, apiSecret, applicationId, privateKey }: VonageAccount): string {
  if (applicationId && privateKey)
    return `Bearer ${applicationToken(applicationId, privateKey, Math.floor(Date.now() / 1000))}`;
  return `Basic ${Buffer.from(`${apiKey}:${apiSecret ?? ''}`).toString('base64')}`;
}

/** @returns how it ended; never throws for what a server or network can do */
export async function sendText(
  account: VonageAccount,
  message: OutgoingText,
  options: SendOptions,
): Promise<AttemptEnd> {
  const body = JSON.stringify({
    ...contentOf(message),
    channel: message.channel,
    from: bare(message.from),
    to: bare(message.to),
    client_ref: message.reference,
  });
  const progress: Progress = { handedOver: false, fencedOff: false };
  try {
    return endOf(await post(account, body, options, progress));
  } catch (error) {
    if (progress.fencedOff)
      return { outcome: 'retry', failure: 'taken-over', response: 'Another attempt has taken over.' };
    const response = `The connection failed (${(error as NodeJS.ErrnoException).code ?? 'no answer'}).`;
    if (progress.handedOver) return { outcome: 'unknown', failure: 'outcome-unknown', response };
    return { outcome: 'retry', failure: 'server-unreachable', response };
  }
}

function contentOf({ text, template }: OutgoingText): Record<string, unknown> {
  if (!template) return { message_type: 'text', text };
  const { name, language, parameters } = template;
  return {
    message_type: 'template',
    template: { name, parameters },
    whatsapp: { policy: 'deterministic', locale: language },
  };
}

type Progress = { handedOver: boolean; fencedOff: boolean };
type Answered = { status: number; body: string };

const LONGEST_ANSWER = 100_000;

async function post(
  account: VonageAccount,
  body: string,
  { url, timeoutMs, beforeHandOver }: SendOptions,
  progress: Progress,
): Promise<Answered> {
  const target = new URL('/v1/messages', url);
  const secure = target.protocol === 'https:';
  const request = (secure ? https : http).request(target, {
    method: 'POST',
    // A connection of its own: one that was kept open may turn out to be closed after the request was written.
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      authorization: authorization(account),
      'content-type': 'application/json',
      accept: 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  });
  const answer = new Promise<Answered>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (text.length < LONGEST_ANSWER) text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', reject);
    });
  });
  answer.catch(() => {});
  // Node writes nothing before `end`: what is held here has not left.
  await Promise.race([connected(request, secure), answer]);
  progress.handedOver = await beforeHandOver();
  progress.fencedOff = !progress.handedOver;
  if (progress.fencedOff) request.destroy(new Error('held back'));
  else request.end(body);
  return answer;
}

function connected(request: http.ClientRequest, secure: boolean): Promise<void> {
  return new Promise((resolve) => {
    request.once('socket', (socket) => socket.once(secure ? 'secureConnect' : 'connect', () => resolve()));
  });
}

function endOf({ status, body }: Answered): AttemptEnd {
  const answer = parse(body);
  if (status >= 200 && status < 300) {
    const providerId = typeof answer.message_uuid === 'string' ? answer.message_uuid : null;
    if (!providerId) return { outcome: 'unknown', failure: 'outcome-unknown', response: `Vonage answered ${status}.` };
    return { outcome: 'sent', response: `Vonage took it (${status}).`, providerId };
  }
  const response = `${status} ${why(answer)}`.trim();
  // A gateway that lost its answer does not know whether the message was taken.
  if (status === 502 || status === 504) return { outcome: 'unknown', failure: 'outcome-unknown', response };
  if (status === 429 || status === 408 || status >= 500) return { outcome: 'retry', failure: 'server-busy', response };
  return { outcome: 'failed', failure: failureOf(status), response };
}

function failureOf(status: number): string {
  if (status === 401 || status === 403) return 'credentials-refused';
  return status === 402 ? 'no-credit' : 'message-refused';
}

function parse(body: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(body);
    return answer !== null && typeof answer === 'object' ? (answer as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

// Goes through a history of Temporal: numbers in it are covered.
function why({ title, detail }: Record<string, unknown>): string {
  const words = [title, detail].filter((one) => typeof one === 'string').join(': ');
  return words.replace(/\+?\d{6,}/g, '…').slice(0, 300);
}

/** Vonage writes numbers without the plus sign. */
function bare(number: string): string {
  return number.replace(/^\+/, '');
}
