// One call of Vonage, as it came and as it is understood: the SMS API sends parameters (in the address, as a form or as
// JSON), the Messages API sends JSON with a token. Nothing here is believed yet.
import type { CallAsItCame } from '#domain/integrations/quarantined-call.ts';
import type { SmsParameters } from '#domain/integrations/vonage-signature.ts';
import { readClaims } from '#domain/integrations/vonage-token.ts';
import { type ReceiptStatus, receiptStatus } from '#domain/rules/delivery.ts';

export type VonageCall = CallAsItCame & {
  raw: Buffer;
  /** Of the SMS API; null when a name stands there twice or a value is no plain one. */
  parameters: SmsParameters | null;
  /** Of the Messages API; empty when it is no JSON object. */
  body: Readonly<Record<string, unknown>>;
};

/** What a call says of itself. */
export type CallFacts = {
  /** Whether it carries a signature of either kind. */
  isSigned: boolean;
  /** The provider's id of the message it brings or speaks of. */
  messageId: string | null;
  /** Our own number, in digits. */
  number: string | null;
  account: string | null;
  application: string | null;
  /** Unix time. */
  signedAt: number | null;
  expiresAt: number | null;
};

export function readCall(call: CallAsItCame, raw: Buffer): VonageCall {
  if (call.encoding === 'json') {
    const body = parseObject(raw);
    return { ...call, raw, body, parameters: plainValues(body) };
  }
  return { ...call, raw, body: {}, parameters: pairs(raw) };
}

export function factsOf(call: VonageCall): CallFacts {
  const isOfMessagesApi = call.token !== null || typeof call.body.message_uuid === 'string';
  return isOfMessagesApi ? ofMessagesApi(call) : ofSmsApi(call.parameters ?? {});
}

export type Told = { status: ReceiptStatus; failure: string | null; reference: string | null };

/** What a status callback tells; null when it says nothing of the delivery. */
export function toldBy(call: VonageCall): Told | null {
  const { parameters, body } = call;
  const word = text(call.token === null ? parameters?.status : body.status);
  const status = word && receiptStatus(word);
  if (!status) return null;
  if (call.token === null) {
    const code = text(parameters?.['err-code']);
    return {
      status,
      failure: code && code !== '0' ? `${word} (${code})` : word,
      reference: text(parameters?.['client-ref']),
    };
  }
  const { title, detail } = (body.error ?? {}) as { title?: unknown; detail?: unknown };
  const why = [text(title), text(detail)].filter(Boolean).join(': ');
  return { status, failure: why || word, reference: text(body.client_ref) };
}

function ofSmsApi(parameters: SmsParameters): CallFacts {
  return {
    isSigned: Boolean(parameters.sig),
    messageId: text(parameters.messageId),
    // Receipts name our number here too: it is what the message was sent from.
    number: digits(parameters.to),
    account: text(parameters['api-key']),
    application: null,
    signedAt: unixTime(parameters.timestamp),
    expiresAt: null,
  };
}

function ofMessagesApi({ kind, body, token }: VonageCall): CallFacts {
  const claims = token === null ? null : readClaims(token);
  return {
    isSigned: token !== null,
    messageId: text(body.message_uuid),
    number: digits(kind === 'message' ? body.to : body.from),
    account: claims?.api_key ?? null,
    application: claims?.application_id ?? null,
    signedAt: claims?.iat ?? null,
    expiresAt: claims?.exp ?? null,
  };
}

function parseObject(raw: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(raw.toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function plainValues(body: Record<string, unknown>): SmsParameters | null {
  const values = Object.entries(body);
  if (values.some(([, value]) => value === null || typeof value === 'object')) return null;
  return Object.fromEntries(values.map(([name, value]) => [name, String(value)]));
}

// Which of two values was signed cannot be known: a name that stands twice is no call of Vonage.
function pairs(raw: Buffer): SmsParameters | null {
  const entries = [...new URLSearchParams(raw.toString('utf8'))];
  const names = new Set(entries.map(([name]) => name));
  return names.size === entries.length ? Object.fromEntries(entries) : null;
}

const LONGEST_WORD = 300;

function text(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value.replaceAll('\0', '').toWellFormed().slice(0, LONGEST_WORD);
}

function digits(value: unknown): string | null {
  const given = text(typeof value === 'object' && value !== null ? (value as { number?: unknown }).number : value);
  return given?.replace(/^\+/, '') ?? null;
}

function unixTime(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,12}$/.test(value) ? Number(value) : null;
}
