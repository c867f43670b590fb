// What becomes of a call whose signature holds: a message is kept as a receipt with the request for its run, a delivery
// receipt is applied to its reply. Either is committed when this returns, and harmless when it comes again.
import { createHash } from 'node:crypto';
import { hearReceipt } from '#domain/conversations/delivery-receipt.ts';
import type { Database } from '#domain/database/orm.ts';
import type { ReceiptOrigin } from '#domain/integrations/receipt.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { ConnectedNumber, TextChannel } from './connected-numbers.ts';
import type { ReceiptWriter } from './receipt-writer.ts';
import { factsOf, toldBy, type VonageCall } from './vonage-call.ts';

export type LetIn = { channel: TextChannel; number: ConnectedNumber; stale: boolean };

/** @returns false when it had come before */
export async function letIn(
  { database, receipts }: Pick<ApiDependencies, 'database' | 'receipts'>,
  call: VonageCall,
  admitted: LetIn,
): Promise<boolean> {
  return call.kind === 'message' ? keepMessage(receipts, call, admitted) : keepStatus(database, call, admitted);
}

function keepMessage(receipts: ReceiptWriter, call: VonageCall, { channel, number, stale }: LetIn): Promise<boolean> {
  return receipts.keep({
    tenantId: number.tenantId,
    integrationId: number.integrationId,
    sourceId: sourceIdOf(call),
    format: channel,
    raw: call.raw,
    origin: originOf(call, stale),
  });
}

/** The provider's id of the message is the memory of replays: a token or nonce seen again brings the same message. */
function sourceIdOf(call: VonageCall): string {
  return factsOf(call).messageId ?? `sha256:${createHash('sha256').update(call.raw).digest('hex')}`;
}

function originOf(call: VonageCall, stale: boolean): ReceiptOrigin {
  const series = call.token === null && call.parameters ? seriesOf(call.parameters) : null;
  return { encoding: call.encoding, ...(stale ? { stale } : {}), ...(series ? { series } : {}) };
}

function seriesOf(parameters: Readonly<Record<string, string>>): string | null {
  if (parameters.concat !== 'true' || !(Number(parameters['concat-total']) > 1)) return null;
  const name = [parameters.msisdn, parameters['concat-ref'], parameters['concat-total']].join('/');
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

async function keepStatus(database: Database, call: VonageCall, { number }: LetIn): Promise<boolean> {
  const { messageId } = factsOf(call);
  const told = toldBy(call);
  if (!messageId || !told) return false;
  const { status, failure, reference } = told;
  const replyId = reference && UUID.test(reference) ? reference : null;
  await database.inTenant(number.tenantId, (em) =>
    hearReceipt(em, number.tenantId, { providerId: messageId.slice(0, 100), replyId, status, failure }),
  );
  return true;
}
