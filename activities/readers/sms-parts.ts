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
  const total = Number(parameters['concat-total']);
  const part = Number(parameters['concat-part']);
  const isPart = parameters.concat === 'true' && isWithin(total, MOST_PARTS) && isWithin(part, total);
  return { ...receipt, parameters, part: isPart ? part : 1, total: isPart ? total : 1 };
}

/**
 * In the order of the text. A place is claimed twice when a telephone counts its long messages from the start again: the
 * part that is read stands, and of others the earlier; the rest stays for a message of its own.
 */
export function inOrder(parts: readonly SmsPart[], own: SmsPart): SmsPart[] {
  const byArrival = [...parts].sort((a, b) => Number(a.receivedAt) - Number(b.receivedAt) || (a.id < b.id ? -1 : 1));
  const places = new Map([[own.part, own]]);
  for (const one of byArrival) if (!places.has(one.part) && one.total === own.total) places.set(one.part, one);
  return [...places.values()].sort((a, b) => a.part - b.part);
}

function isWithin(number: number, largest: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= largest;
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
