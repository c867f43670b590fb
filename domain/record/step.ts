// What one step of a run decided, why, from which words, and how long it took: the page "why is this here?" reads
// these rows, because Temporal's history expires.
import { defineEntity, p } from '@mikro-orm/core';
import { tenantOwned } from '#domain/tenancy/tenant-owned.ts';

export const STEP_NAMES = [
  'recogniseDuplicate',
  'recordMessage',
  'filterBulkMail',
  'classifyMessage',
  'sortConversation',
  'decideReply',
  'draftReply',
  'reviewDraft',
  'sendReply',
  'scheduleFollowUp',
  'fireFollowUp',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

const StepSchema = defineEntity({
  name: 'Step',
  properties: {
    ...tenantOwned,
    runId: p.string().length(200),
    /** Temporal's ids of the execution and of the activity in it: a step repeated after a crash is one row. */
    executionId: p.string().length(60),
    activityId: p.string().length(60),
    receiptId: p.uuid().nullable(),
    conversationId: p.uuid().nullable(),
    messageId: p.uuid().nullable(),
    name: p.string().length(40).$type<StepName>(),
    /** A stable code the screens translate: `sorted-by-rule`, `no-reply`, `newsletter`… */
    outcome: p.string().length(60),
    /** What the sentence of that code needs: folder, rule, confidence, reason. */
    facts: p.json<Record<string, unknown>>(),
    /** The words of the message that decided. */
    evidence: p.json<string[]>(),
    durationMs: p.integer(),
  },
  uniques: [{ properties: ['tenantId', 'executionId', 'activityId'] }],
  indexes: [{ properties: ['tenantId', 'conversationId'] }],
});

export class Step extends StepSchema.class {}
StepSchema.setClass(Step);
