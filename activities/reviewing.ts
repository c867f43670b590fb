// What happens to a draft that waits: hearing what was decided, meeting its deadline, deciding it for an operator or
// for a folder that answers by itself. The draft's row stays the only arbiter.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Draft } from '#domain/conversations/draft.ts';
import {
  approveDraft,
  discardDraft,
  obstacleToSending,
  regenerateDraft,
} from '#domain/conversations/draft-decision.ts';
import { Folder } from '#domain/conversations/folder.ts';
import type { SendingAccounts } from '#domain/conversations/reply-way.ts';
import { Refusal } from '#domain/errors.ts';
import { type Actor, SYSTEM } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import type { DecideDraft } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { inStep, type StepNotes } from './in-step.ts';
import { decideAnew } from './replying.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export type DraftRef = { tenantId: string; draftId: string };

/** How the wait goes on: it has ended with a decision, or not yet. */
export type Heard =
  | { state: 'approved'; replyId: string }
  | { state: 'discarded' | 'superseded' | 'regenerating' | 'waiting' };

export function createReviewing({ database, installationMail, patience }: Dependencies) {
  const accounts: SendingAccounts = { installationFrom: installationMail?.from ?? null };

  // That there is a way out (an address, a mailbox) was looked at before the claim: a draft that was claimed must have its
  // reply.
  async function approveByItself(em: EntityManager, draft: Draft): Promise<Heard> {
    try {
      const reply = await approveDraft(em, { ...byItself(draft), accounts, automatic: true });
      return { state: 'approved', replyId: reply.id };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await em.refresh(draft);
      return heard(draft);
    }
  }

  /**
   * Why it must not leave by itself; asked now, because everything may have changed since it was decided that it is
   * written.
   * @param mode takes the place of the folder's
   */
  async function reasonToAskSomebody(
    em: EntityManager,
    draft: Draft,
    mode: 'automatic' | null,
  ): Promise<string | null> {
    if (draft.origin !== 'model') return 'no-model';
    if (draft.caution) return draft.caution;
    const obstacle = await obstacleToSending(em, draft, accounts);
    if (obstacle) return obstacle.code;
    // One at a time for each company: of two that are approved together, both would be the last below the ceiling.
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [draft.tenantId]);
    const verdict = await decideAnew(em, draft.messageId, mode, patience.quietMs);
    return verdict.reply === 'automatic' ? null : verdict.reason;
  }

  return {
    /** Reads what was decided; a decision that was heard is not told again. */
    async hearDecision({ tenantId, draftId }: DraftRef): Promise<Heard> {
      return inStep(database, tenantId, 'reviewDraft', async (em, notes) => {
        const draft = await em.findOneOrFail(Draft, { id: draftId });
        aboutDraft(notes, draft);
        notes.found(draft.state, { by: draft.decidedBy ?? null, byKind: draft.decidedByKind ?? null });
        if (draft.decisionId) draft.decisionHeardAt ??= new Date();
        return heard(draft);
      });
    },

    /** Does what the folder wants when nobody decided in time; a draft that was not the model's is never sent by itself. */
    async meetDeadline({ tenantId, draftId }: DraftRef): Promise<Heard> {
      return inStep(database, tenantId, 'reviewDraft', async (em, notes) => {
        const draft = await em.findOneOrFail(Draft, { id: draftId });
        aboutDraft(notes, draft);
        // Decided meanwhile, or met already by a worker that died before it could say so.
        if (draft.state !== 'waiting' || !draft.deadlineAt) {
          notes.found(draft.state);
          return heard(draft);
        }
        const obstacle = draft.deadlineAction === 'send' ? await reasonToAskSomebody(em, draft, 'automatic') : null;
        const action = obstacle ? 'remind' : draft.deadlineAction;
        notes.found(`deadline-${action ?? 'remind'}`, { obstacle });
        draft.deadlineAt = null;
        if (obstacle) draft.caution ??= obstacle;
        if (action === 'send') return approveByItself(em, draft);
        if (action === 'discard') {
          await discardDraft(em, draft.id, SYSTEM);
          return { state: 'discarded' };
        }
        await callSomebody(em, draft, action === 'escalate');
        return { state: 'waiting' };
      });
    },

    /** The folder answers by itself: the draft is approved at once, unless somebody was faster or it may not any more. */
    async approveAutomatically({ tenantId, draftId }: DraftRef): Promise<Heard> {
      return inStep(database, tenantId, 'reviewDraft', async (em, notes) => {
        const draft = await em.findOneOrFail(Draft, { id: draftId });
        aboutDraft(notes, draft);
        // Decided meanwhile, or left to somebody already.
        if (draft.state !== 'waiting' || draft.remindedAt) {
          notes.found(draft.state);
          return heard(draft);
        }
        const reason = await reasonToAskSomebody(em, draft, null);
        const decided = reason ? await leaveToSomebody(em, draft, reason) : await approveByItself(em, draft);
        notes.found(decided.state === 'approved' ? 'approved-automatically' : 'cannot-be-sent', { obstacle: reason });
        return decided;
      });
    },

    /** An operator's or a program's signal: the same claim an agent's click makes. */
    async decideDraft({ tenantId, draftId, decision, by }: DraftRef & DecideDraft): Promise<Heard> {
      return inStep(database, tenantId, 'reviewDraft', async (em, notes) => {
        // Whoever speaks to Temporal may say anything: what is no decision changes nothing.
        const actor: Actor = by && UUID.test(by) ? { kind: 'program', id: by } : SYSTEM;
        try {
          // Refused before the claim: a draft that was claimed must have its reply.
          const obstacle = decision === 'approve' ? await obstacleTo(em, draftId, accounts) : null;
          if (obstacle) throw obstacle;
          if (decision === 'approve')
            await approveDraft(em, { ...asItStands(draftId, actor), accounts, automatic: false });
          else if (decision === 'discard') await discardDraft(em, draftId, actor);
          else if (decision === 'regenerate') await regenerateDraft(em, draftId, actor, '');
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
        }
        const draft = await em.findOneOrFail(Draft, { id: draftId }, { refresh: true });
        aboutDraft(notes, draft);
        notes.found(draft.state, { signal: decision });
        return heard(draft);
      });
    },
  };
}

async function obstacleTo(em: EntityManager, draftId: string, accounts: SendingAccounts): Promise<Refusal | null> {
  const draft = await em.findOneOrFail(Draft, { id: draftId });
  return draft.state === 'waiting' ? obstacleToSending(em, draft, accounts) : null;
}

function aboutDraft(notes: StepNotes, draft: Draft): void {
  notes.about({ conversationId: draft.conversationId, messageId: draft.messageId });
}

function heard(draft: Draft): Heard {
  if (draft.state === 'approved') return { state: 'approved', replyId: draft.replyId! };
  return { state: draft.state };
}

function asItStands(draftId: string, actor: Actor) {
  return { draftId, actor, version: null, text: null, undoMs: 0 };
}

function byItself(draft: Draft) {
  return asItStands(draft.id, SYSTEM);
}

async function leaveToSomebody(em: EntityManager, draft: Draft, reason: string): Promise<Heard> {
  // An admin has switched the folder: its drafts wait, and nothing is wrong with this one.
  if (reason !== 'validation' && reason !== 'mode-off') {
    draft.caution = reason;
    await callSomebody(em, draft, false);
  }
  return { state: 'waiting' };
}

async function callSomebody(em: EntityManager, draft: Draft, escalate: boolean): Promise<void> {
  draft.remindedAt = new Date();
  const conversation = await em.findOneOrFail(Conversation, { id: draft.conversationId });
  if (escalate) {
    conversation.prioritise('urgent');
    const folder = draft.folderId ? await em.findOne(Folder, { id: draft.folderId }) : null;
    draft.escalatedTo = folder?.escalateTo ?? null;
    if (draft.escalatedTo) conversation.assigneeId = draft.escalatedTo;
  }
  const name = escalate ? 'draft.escalated' : 'draft.reminded';
  announce(em, name, draft.conversationId, { draftId: draft.id, to: draft.escalatedTo ?? null });
  audit(em, SYSTEM, {
    action: name,
    subject: { kind: 'draft', id: draft.id },
    after: { to: draft.escalatedTo ?? null },
  });
}
