// A proposed answer that waits for an agent. The row is the one arbiter of who decides: every decision, by a person, a
// deadline, a newer message or an operator's signal, is the same conditional UPDATE, and only the first one takes.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ACTOR_KINDS, type Actor, actorId } from '#domain/people/actor.ts';
import { DEADLINE_ACTIONS } from '#domain/rules/words.ts';
import { instant, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

/** What ends a draft's wait; `regenerate` begins another one. */
export const DRAFT_DECISIONS = ['approve', 'discard', 'regenerate', 'supersede'] as const;
export type DraftDecision = (typeof DRAFT_DECISIONS)[number];

const STATE_AFTER: Record<DraftDecision, 'approved' | 'discarded' | 'regenerating' | 'superseded'> = {
  approve: 'approved',
  discard: 'discarded',
  regenerate: 'regenerating',
  supersede: 'superseded',
};

const DraftSchema = defineEntity({
  name: 'Draft',
  properties: {
    ...tenantOwned,
    conversationId: p.uuid(),
    /** The client's message it answers. */
    messageId: p.uuid(),
    folderId: p.uuid().nullable(),
    runId: p.string().length(200),
    origin: p.enum(['model', 'article'] as const),
    state: p.enum(['waiting', 'approved', 'discarded', 'regenerating', 'superseded'] as const).default('waiting'),
    text: p.text(),
    version: p.integer().default(1),
    /** Knowledge articles it used. */
    articleIds: p.json<string[]>(),
    /** Why it waits although the folder answers by itself, or why the last regeneration failed: a stable code. */
    caution: p.string().length(60).nullable(),
    instruction: p.text().nullable(),
    deadlineAt: instant().nullable(),
    deadlineAction: p.enum(DEADLINE_ACTIONS).nullable(),
    remindedAt: instant().nullable(),
    escalatedTo: p.uuid().nullable(),
    /** One decision: what, by whom, when, and when the waiting run heard of it. */
    decisionId: p.uuid().nullable(),
    decision: p.enum(DRAFT_DECISIONS).nullable(),
    decidedByKind: p.enum(ACTOR_KINDS).nullable(),
    decidedBy: p.uuid().nullable(),
    decidedAt: instant().nullable(),
    decisionHeardAt: instant().nullable(),
    replyId: p.uuid().nullable(),
  },
  uniques: [referable],
  indexes: [
    { properties: ['tenantId', 'conversationId'] },
    {
      name: 'draft_one_waiting',
      expression: `create unique index "draft_one_waiting" on "draft" ("tenant_id", "conversation_id") where "state" in ('waiting', 'regenerating')`,
    },
  ],
});

export class Draft extends DraftSchema.class {}
DraftSchema.setClass(Draft);

export type Claim = {
  draftId: string;
  decisionId: string;
  decision: DraftDecision;
  actor: Actor;
  instruction?: string;
};

/**
 * Decides a draft if it still waits.
 * @param version refuses when the text was regenerated since the decider read it
 * @returns false when somebody or something was faster, or the text changed
 */
export async function claimDraft(em: EntityManager, claim: Claim, version?: number): Promise<boolean> {
  // A newer message ends a draft that is being written again too; a person waits until it is there.
  const from = claim.decision === 'supersede' ? (['waiting', 'regenerating'] as const) : (['waiting'] as const);
  const taken = await em.nativeUpdate(
    Draft,
    { id: claim.draftId, state: { $in: [...from] }, ...(version === undefined ? {} : { version }) },
    {
      state: STATE_AFTER[claim.decision],
      decisionId: claim.decisionId,
      decision: claim.decision,
      decidedByKind: claim.actor.kind,
      decidedBy: actorId(claim.actor),
      decidedAt: new Date(),
      decisionHeardAt: null,
      instruction: claim.instruction ?? null,
    },
  );
  return taken === 1;
}
