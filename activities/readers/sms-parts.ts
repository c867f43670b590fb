// The parameters of Vonage's SMS API in a receipt, and the parts of a long SMS put in order.
import { Unreadable } from './incoming-message.ts';

export type SmsReceipt = {
  id: string;
  sourceId: string;
  raw: Buffer;
  encoding: 'query' | 'form' | 'json';
  receivedAt: Date;
};

export type SmsPart = SmsReceipt & {
  parameters: Readonly<Record<string, string>>;
  /** From 1; 1 for an SMS that stands alone. */
  part: number;
  total: number;
};

const MOST_PARTS = 255;

/** @throws Unreadable */
export function readPart(receipt: SmsReceipt): SmsPart {
  const parameters = parse(receipt);
  const total = Math.min(Number(parameters['concat-total']) || 1, MOST_PARTS);
  const isPart = parameters.concat === 'true' && total > 1;
  return {
    ...receipt,
    parameters,
    part: isPart ? Number(parameters['concat-part']) || 1 : 1,
    total: isPart ? total : 1,
  };
}

/** In the order of the text; of two that claim one place the earlier stands. */
export function inOrder(parts: readonly SmsPart[]): SmsPart[] {
  const byArrival = [...parts].sort((a, b) => Number(a.receivedAt) - Number(b.receivedAt) || (a.id < b.id ? -1 : 1));
  const places = new Map<number, SmsPart>();
  for (const part of byArrival) if (!places.has(part.part)) places.set(part.part, part);
  return [...places.values()].sort((a, b) => a.part - b.part);
}

function parse({ raw, encoding }: SmsReceipt): Record<string, string> {
  if (encoding !== 'json') return Object.fromEntries(new URLSearchParams(raw.toString('utf8')));
  try {
    const body = JSON.parse(raw.toString('utf8')) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)]));
  } catch {
    throw new Unreadable('The SMS is not the JSON it was announced to be.');
  }
}
