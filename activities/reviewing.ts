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
import type { SendingAccounts } from '#domain/conversations/reply-way.ts';
import { Refusal } from '#domain/errors.ts';
import { type Actor, SYSTEM } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import type { DecideDraft } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { inStep, type StepNotes } from './in-step.ts';

export type DraftRef = { tenantId: string; draftId: string };

/** How the wait goes on: it has ended with a decision, or not yet. */
export type Heard =
  | { state: 'approved'; replyId: string }
  | { state: 'discarded' | 'superseded' | 'regenerating' | 'waiting' };

export function createReviewing({ database, installationMail }: Dependencies) {
  const accounts: SendingAccounts = { installationFrom: installationMail?.from ?? null };

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
        if (draft.state !== 'waiting') {
          notes.found(draft.state);
          return heard(draft);
        }
        const mayNotSend =
          draft.deadlineAction === 'send' &&
          (!maySendByItself(draft) || (await obstacleToSending(em, draft, accounts)) !== null);
        const action = mayNotSend ? 'remind' : draft.deadlineAction;
        notes.found(`deadline-${action ?? 'remind'}`);
        draft.deadlineAt = null;
        if (action === 'send') {
          const reply = await approveDraft(em, { ...byItself(draft), accounts, automatic: true });
          return { state: 'approved', replyId: reply.id };
        }
        if (action === 'discard') {
          await discardDraft(em, draft.id, SYSTEM);
          return { state: 'discarded' };
        }
        await callSomebody(em, draft, action === 'escalate');
        return { state: 'waiting' };
      });
    },

    /** The folder answers by itself: the draft is approved at once, unless somebody was faster. */
    async approveAutomatically({ tenantId, draftId }: DraftRef): Promise<Heard> {
      return inStep(database, tenantId, 'reviewDraft', async (em, notes) => {
        const draft = await em.findOneOrFail(Draft, { id: draftId });
        aboutDraft(notes, draft);
        const obstacle = draft.state === 'waiting' ? await obstacleToSending(em, draft, accounts) : null;
        if (obstacle) {
          draft.caution = obstacle.code;
          notes.found('waiting', { obstacle: obstacle.code });
          return heard(draft);
        }
        if (draft.state === 'waiting') {
          await approveDraft(em, { ...byItself(draft), accounts, automatic: true });
        }
        notes.found('approved-automatically');
        return heard(draft);
      });
    },

    /** An operator's or a program's signal: the same claim an agent's click makes. */
    async decideDraft({ tenantId, draftId, decision, by }: DraftRef & DecideDraft): Promise<Heard> {
      return inStep(database, tenantId, 'reviewDraft', async (em, notes) => {
        const actor: Actor = by ? { kind: 'program', id: by } : SYSTEM;
        try {
          // Refused before the claim: a draft that was claimed must have its reply.
          const obstacle = decision === 'approve' ? await obstacleTo(em, draftId, accounts) : null;
          if (obstacle) throw obstacle;
          if (decision === 'approve')
            await approveDraft(em, { ...asItStands(draftId, actor), accounts, automatic: false });
          else if (decision === 'discard') await discardDraft(em, draftId, actor);
          else await regenerateDraft(em, draftId, actor, '');
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

function maySendByItself(draft: Draft): boolean {
  return draft.origin === 'model' && draft.caution === null;
}

function asItStands(draftId: string, actor: Actor) {
  return { draftId, actor, version: null, text: null, undoMs: 0 };
}

function byItself(draft: Draft) {
  return asItStands(draft.id, SYSTEM);
}

async function callSomebody(em: Parameters<typeof announce>[0], draft: Draft, escalate: boolean): Promise<void> {
  draft.remindedAt = new Date();
  const conversation = await em.findOneOrFail(Conversation, { id: draft.conversationId });
  if (escalate) conversation.prioritise('urgent');
  const name = escalate ? 'draft.escalated' : 'draft.reminded';
  announce(em, name, draft.conversationId, { draftId: draft.id, to: draft.escalatedTo ?? null });
  audit(em, SYSTEM, {
    action: name,
    subject: { kind: 'draft', id: draft.id },
    after: { to: draft.escalatedTo ?? null },
  });
}
