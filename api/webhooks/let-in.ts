// What becomes of a call whose signature holds: a message is kept as a receipt with the request for its run, a delivery
// receipt is applied to its reply. Either is committed when this returns, and harmless when it comes again.
import { createHash } from 'node:crypto';
import { hearReceipt } from '#domain/conversations/delivery-receipt.ts';
import type { Database } from '#domain/database/orm.ts';
import { faultPoint } from '#domain/fault-point.ts';
import { RECEIPT_RETENTION_DAYS, type ReceiptOrigin } from '#domain/integrations/receipt.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { WORKFLOWS, workflowIds } from '#workflows/contract.ts';
import type { ConnectedNumber, TextChannel } from './connected-numbers.ts';
import { factsOf, toldBy, type VonageCall } from './vonage-call.ts';

export type LetIn = { channel: TextChannel; number: ConnectedNumber; stale: boolean };

/** @returns false when it had come before */
export async function letIn(database: Database, call: VonageCall, admitted: LetIn): Promise<boolean> {
  return call.kind === 'message' ? keepMessage(database, call, admitted) : keepStatus(database, call, admitted);
}

async function keepMessage(database: Database, call: VonageCall, { channel, number, stale }: LetIn): Promise<boolean> {
  const { tenantId, integrationId } = number;
  const receiptId = newId();
  await faultPoint('api.before_insert');
  const [row] = await database.outsideTenants<{ kept: boolean }>(
    'select keep_receipt(?, ?, ?, ?, ?, ?, ?, ?::interval, ?, ?, ?) as kept',
    [
      receiptId,
      tenantId,
      integrationId,
      sourceIdOf(call),
      channel,
      call.raw,
      JSON.stringify(originOf(call, stale)),
      `${RECEIPT_RETENTION_DAYS} days`,
      newId(),
      WORKFLOWS.receiveMessage,
      workflowIds.receiveMessage(tenantId, receiptId),
    ],
  );
  await faultPoint('api.after_commit_before_ack');
  database.wakeRelay();
  return row?.kept === true;
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
