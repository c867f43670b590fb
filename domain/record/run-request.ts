// What a transaction asks of Temporal: start this workflow, signal that one. It is committed with the facts it belongs
// to and carried out by workers/relay.ts, so that nothing is forgotten when Temporal is down or a process dies in
// between (the transactional outbox pattern). Carrying a request out twice is harmless: a workflow id starts once, and
// signals name the decision they bring. Of one run's requests the signals go first, then the start.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { queries } from '#domain/database/tables.ts';
import { instant, newId, tenantOwned } from '#domain/tenancy/tenant-owned.ts';
import {
  DRAFT_DECIDED,
  FOLLOW_UP_CHANGED,
  RECLASSIFY_AGAIN,
  REPLY_CHANGED,
  WORKFLOWS,
  workflowIds,
} from '#workflows/contract.ts';

const RunRequestSchema = defineEntity({
  name: 'RunRequest',
  properties: {
    ...tenantOwned,
    kind: p.enum(['start', 'signal'] as const),
    /** Workflow type to start, or signal to send. */
    name: p.string().length(60),
    workflowId: p.string().length(200),
    /** The one argument; ids and short codes only. */
    input: p.json<Record<string, unknown>>(),
    /** Temporal did not take it: not before then again. */
    waitsUntil: instant().nullable(),
    attempts: p.integer().default(0),
    lastError: p.text().nullable(),
  },
});

export class RunRequest extends RunRequestSchema.class {}
RunRequestSchema.setClass(RunRequest);

// The one place of the domain that knows the workflows' contract; everybody else asks by these names.

/** @param run 1 for the first; a person's retry is a run of its own */
export function startReceiveMessage(em: EntityManager, tenantId: string, receiptId: string, run = 1): void {
  start(em, WORKFLOWS.receiveMessage, workflowIds.receiveMessage(tenantId, receiptId, run), { tenantId, receiptId });
}

/** Of a bundle of mails, each its first run: one statement. */
export async function startReceiveMessages(
  em: EntityManager,
  tenantId: string,
  receiptIds: readonly string[],
): Promise<void> {
  if (receiptIds.length === 0) return;
  asking.add(em);
  const rows = receiptIds.map((receiptId) => ({
    id: newId(),
    tenant_id: tenantId,
    created_at: new Date(),
    kind: 'start' as const,
    name: WORKFLOWS.receiveMessage,
    workflow_id: workflowIds.receiveMessage(tenantId, receiptId),
    input: { tenantId, receiptId },
    attempts: 0,
  }));
  await queries(em).insertInto('run_request').values(rows).execute();
}

export function startSendReply(em: EntityManager, tenantId: string, replyId: string): void {
  start(em, WORKFLOWS.sendReply, workflowIds.sendReply(tenantId, replyId), { tenantId, replyId });
}

export function startFollowUp(em: EntityManager, tenantId: string, followUpId: string): void {
  start(em, WORKFLOWS.followUp, workflowIds.followUp(tenantId, followUpId), { tenantId, followUpId });
}

export function startSync(em: EntityManager, tenantId: string, integrationId: string, syncId: string): void {
  start(em, WORKFLOWS.syncMailbox, workflowIds.syncByHand(tenantId, syncId), { tenantId, integrationId, syncId });
}

export function startBackfill(em: EntityManager, tenantId: string, integrationId: string, syncId: string): void {
  const workflowId = workflowIds.backfillMailbox(tenantId, syncId);
  start(em, WORKFLOWS.backfillMailbox, workflowId, { tenantId, integrationId, syncId });
}

export function startWatchMailbox(em: EntityManager, tenantId: string, integrationId: string): void {
  const workflowId = workflowIds.watchMailbox(tenantId, integrationId);
  start(em, WORKFLOWS.watchMailbox, workflowId, { tenantId, integrationId, losses: 0 });
}

export function startMailboxTrial(em: EntityManager, tenantId: string, trialId: string): void {
  start(em, WORKFLOWS.tryMailbox, workflowIds.trial(tenantId, trialId), { tenantId, trialId });
}

export function startMailServerLookUp(em: EntityManager, tenantId: string, trialId: string): void {
  start(em, WORKFLOWS.lookUpMailServers, workflowIds.trial(tenantId, trialId), { tenantId, trialId });
}

/** One that goes on begins at the first conversation again: it may have passed by what is meant. */
export function startReclassifyFolderless(em: EntityManager, tenantId: string): void {
  const workflowId = workflowIds.reclassifyFolderless(tenantId);
  signal(em, RECLASSIFY_AGAIN, workflowId, {});
  start(em, WORKFLOWS.reclassifyFolderless, workflowId, { tenantId, after: null });
}

/** Brings Temporal's schedule of an integration in line with its row. */
export function startApplyIntegration(em: EntityManager, tenantId: string, integrationId: string): void {
  const workflowId = workflowIds.applyIntegration(tenantId, integrationId, newId());
  start(em, WORKFLOWS.applyIntegration, workflowId, { tenantId, integrationId });
}

export function startTellOfLostMailbox(em: EntityManager, tenantId: string, integrationId: string): void {
  const workflowId = workflowIds.tellOfLostMailbox(tenantId, integrationId, newId());
  start(em, WORKFLOWS.tellOfLostMailbox, workflowId, { tenantId, integrationId });
}

export function startScanFiles(em: EntityManager, tenantId: string, messageId: string): void {
  start(em, WORKFLOWS.scanFiles, workflowIds.scanFiles(tenantId, messageId), { tenantId, messageId });
}

export function tellDraftDecided(em: EntityManager, runId: string, draftId: string, decisionId: string): void {
  signal(em, DRAFT_DECIDED, runId, { draftId, decisionId });
}

export function tellReplyChanged(em: EntityManager, tenantId: string, replyId: string): void {
  signal(em, REPLY_CHANGED, workflowIds.sendReply(tenantId, replyId), { replyId });
}

export function tellFollowUpChanged(em: EntityManager, tenantId: string, followUpId: string): void {
  signal(em, FOLLOW_UP_CHANGED, workflowIds.followUp(tenantId, followUpId), { followUpId });
}

const asking = new WeakSet<EntityManager>();

/** Whether this transaction asked for anything: the relay is woken after it has committed. */
export function asksForRuns(em: EntityManager): boolean {
  return asking.has(em);
}

function start(em: EntityManager, name: string, workflowId: string, input: Record<string, unknown>): void {
  asking.add(em);
  em.create(RunRequest, { kind: 'start', name, workflowId, input });
}

function signal(em: EntityManager, name: string, workflowId: string, input: Record<string, unknown>): void {
  asking.add(em);
  em.create(RunRequest, { kind: 'signal', name, workflowId, input });
}
