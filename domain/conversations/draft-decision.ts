// Deciding a draft: the claim on its row, what follows from it in the same transaction (reply, audit, live event), and
// the word to the waiting run. API, deadlines, operators and newer messages all come through here.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict, NotFound, Refusal } from '#domain/errors.ts';
import type { Actor } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startSendReply, tellDraftDecided } from '#domain/record/run-request.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { Conversation, holdConversation } from './conversation.ts';
import { claimDraft, Draft, type DraftDecision } from './draft.ts';
import { Message } from './message.ts';
import type { Reply } from './reply.ts';
import { type SendingAccounts, wayOf } from './reply-way.ts';
import { type ReplyOptions, writeReply } from './write-reply.ts';

const PAST_TENSE: Record<DraftDecision, string> = {
  approve: 'draft.approved',
  discard: 'draft.discarded',
  regenerate: 'draft.regenerated',
  supersede: 'draft.superseded',
};

export type Approval = {
  draftId: string;
  actor: Actor;
  /** The text the decider read; null takes the one there is (deadline, automatic). */
  version: number | null;
  /** The edited text; null sends the draft as it stands. */
  text: string | null;
  options?: ReplyOptions;
  automatic: boolean;
  undoMs: number;
  accounts: SendingAccounts;
};

/**
 * Approves a draft and writes its reply.
 * @throws Conflict naming who was faster, or why it cannot be sent; NotFound
 */
export async function approveDraft(em: EntityManager, approval: Approval): Promise<Reply> {
  const draft = await decide(em, approval.draftId, 'approve', approval.actor, approval.version);
  const conversation = await em.findOneOrFail(Conversation, { id: draft.conversationId });
  const reply = await writeReply(em, {
    conversation,
    answersMessageId: draft.messageId,
    text: approval.text ?? draft.text,
    options: approval.options ?? {},
    author: approval.actor,
    automatic: approval.automatic,
    draftId: draft.id,
    undoMs: approval.undoMs,
    accounts: approval.accounts,
  });
  draft.replyId = reply.id;
  await em.flush();
  return reply;
}

/** Why this draft cannot be sent as it stands, for those who decide without an agent before them; null when it can. */
export async function obstacleToSending(
  em: EntityManager,
  draft: Draft,
  accounts: SendingAccounts,
): Promise<Refusal | null> {
  const conversation = await em.findOneOrFail(Conversation, { id: draft.conversationId });
  try {
    await wayOf(em, { conversation, answersMessageId: draft.messageId, text: draft.text, accounts });
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** @throws Conflict, NotFound */
export async function discardDraft(em: EntityManager, draftId: string, actor: Actor): Promise<void> {
  await decide(em, draftId, 'discard', actor, null);
}

/**
 * Asks for another text.
 * @param instruction what the agent wants different, in their words
 * @throws Conflict, NotFound
 */
export async function regenerateDraft(
  em: EntityManager,
  draftId: string,
  actor: Actor,
  instruction: string,
): Promise<void> {
  await decide(em, draftId, 'regenerate', actor, null, instruction);
}

/**
 * Ends a draft that a newer message of the client, or a reply by hand, has overtaken.
 * @param by the message: one that is looked at late leaves the draft to the newer one it answers
 */
export async function supersedeWaitingDraft(
  em: EntityManager,
  conversation: Conversation,
  actor: Actor,
  by: Message | null = null,
): Promise<void> {
  const waiting = await em.findOne(Draft, {
    conversationId: conversation.id,
    state: { $in: ['waiting', 'regenerating'] },
  });
  if (!waiting) return;
  if (by && isLater(await em.findOneOrFail(Message, { id: waiting.messageId }), by)) return;
  try {
    await decide(em, waiting.id, 'supersede', actor, null);
  } catch (error) {
    // Somebody approved it in this very moment: their reply stands.
    if (!(error instanceof Conflict)) throw error;
  }
}

function isLater(one: Message, other: Message): boolean {
  const difference = one.createdAt.getTime() - other.createdAt.getTime();
  return difference > 0 || (difference === 0 && one.id > other.id);
}

async function decide(
  em: EntityManager,
  draftId: string,
  decision: DraftDecision,
  actor: Actor,
  version: number | null,
  instruction?: string,
): Promise<Draft> {
  await em.flush();
  // Before the draft, as everybody does who takes both: nobody waits for each other in a circle.
  const undecided = await em.findOne(Draft, { id: draftId });
  if (undecided) await holdConversation(em, undecided.conversationId);
  const decisionId = newId();
  const claim = { draftId, decisionId, decision, actor, ...(instruction === undefined ? {} : { instruction }) };
  const taken = await claimDraft(em, claim, version ?? undefined);
  const draft = await em.findOne(Draft, { id: draftId }, { refresh: true });
  if (!draft) throw new NotFound('draft.not-found', 'This draft does not exist.');
  if (!taken) throw alreadyDecided(draft, version);
  if (decision !== 'regenerate') {
    const conversation = await em.findOneOrFail(Conversation, { id: draft.conversationId });
    if (conversation.waitingDraftId === draft.id) conversation.waitingDraftId = null;
  }
  audit(em, actor, { action: PAST_TENSE[decision], subject: { kind: 'draft', id: draft.id }, after: { decisionId } });
  announce(em, 'draft.decided', draft.conversationId, { draftId: draft.id, decision });
  tellDraftDecided(em, draft.runId, draft.id, decisionId);
  return draft;
}

function alreadyDecided(draft: Draft, version: number | null): Conflict {
  if (draft.state === 'waiting' && version !== null && draft.version !== version) {
    return new Conflict('draft.changed', 'The draft was written again in the meantime: read the new text first.', {
      version: draft.version,
    });
  }
  if (draft.state === 'regenerating') {
    return new Conflict(
      'draft.regenerating',
      'The draft is being written again: wait for the new text.',
      decidedBy(draft),
    );
  }
  return new Conflict(
    'draft.already-decided',
    'Somebody else has already decided this draft: reload to see what was sent.',
    {
      decision: draft.decision,
      ...decidedBy(draft),
    },
  );
}

function decidedBy(draft: Draft): Record<string, unknown> {
  return { byKind: draft.decidedByKind, by: draft.decidedBy, at: draft.decidedAt?.toISOString() ?? null };
}

/**
 * The run that waited is gone (ended by an operator, lost with a restored server): what was decided is carried out
 * without it. A draft that was to be written again waits with its old text.
 */
export async function settleUnheardDecision(em: EntityManager, draftId: string): Promise<void> {
  const draft = await em.findOne(Draft, { id: draftId });
  if (!draft) return;
  draft.decisionHeardAt ??= new Date();
  if (draft.state === 'approved' && draft.replyId) startSendReply(em, draft.tenantId, draft.replyId);
  if (draft.state === 'regenerating') {
    draft.state = 'waiting';
    draft.caution = 'run-ended';
  }
}
