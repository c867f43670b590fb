// Deciding a proposed answer. Only the first decision counts: whoever comes second is told who was faster, and when.
import { m } from '#paraglide/messages.js';
import { api, RefusedByApi } from './api.ts';
import type { Desk } from './desk.svelte.ts';
import type { DraftEditing } from './draft-editing.svelte.ts';
import { KeptText } from './kept-text.svelte.ts';
import type { OpenConversation } from './open-conversation.svelte.ts';
import { onItsWay, takeBack } from './reply-acts.ts';
import { refused, said, undoable } from './toasts.ts';
import { timeOfDay } from './words/dates.ts';

/** @returns a sentence when somebody else had already decided */
export async function approve(
  desk: Desk,
  conversation: OpenConversation,
  editing: DraftEditing,
): Promise<string | null> {
  const text = editing.isEdited ? editing.text : null;
  return decide(desk, conversation, async () => {
    const options = conversation.options.asked;
    const { replyId, notBefore } = await api.approveDraft({
      params: { id: editing.id },
      body: { version: editing.version, text, ...options },
    });
    const sent = { text: editing.text, ...options };
    editing.forget();
    conversation.options.clear();
    gone(desk, conversation);
    const leftMs = options.notBefore ? undefined : msUntil(notBefore);
    undoable(onItsWay(options.notBefore), () => void takeBack(conversation, replyId, sent), leftMs);
  });
}

export async function discard(
  desk: Desk,
  conversation: OpenConversation,
  editing: DraftEditing,
): Promise<string | null> {
  return decide(desk, conversation, async () => {
    await api.discardDraft({ params: { id: editing.id } });
    // It cannot be proposed again; its words can still be sent by hand.
    const words = editing.text;
    editing.forget();
    gone(desk, conversation);
    undoable(m.draft_discarded(), () => restoreAsReply(conversation, words));
  });
}

export async function regenerate(
  desk: Desk,
  conversation: OpenConversation,
  editing: DraftEditing,
  instruction: string,
): Promise<string | null> {
  return decide(desk, conversation, async () => {
    await api.regenerateDraft({ params: { id: editing.id }, body: { instruction } });
    const draft = conversation.view?.draft;
    if (draft) conversation.patch({ draft: { ...draft, state: 'regenerating' } });
  });
}

async function decide(desk: Desk, conversation: OpenConversation, act: () => Promise<void>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (error instanceof RefusedByApi && error.problem.status === 409) return whoDecided(desk, error);
    refused(error);
    return null;
  } finally {
    conversation.refreshSoon();
  }
}

/** "Tom approved this draft at 14:32." */
function whoDecided(desk: Desk, { problem }: RefusedByApi): string | null {
  const { by, byKind, at, decision } = (problem.details ?? {}) as Record<string, string | null>;
  if (problem.code !== 'draft.already-decided' || !at) {
    refused(new RefusedByApi(problem));
    return null;
  }
  const time = timeOfDay(at);
  const name = desk.nameOf(by ?? null);
  if (!name) return byKind === 'client' ? m.draft_overtaken_by_client({ time }) : m.draft_decided_by_system({ time });
  const words: Record<string, (of: { name: string; time: string }) => string> = {
    approve: m.draft_approved_by,
    discard: m.draft_discarded_by,
    supersede: m.draft_superseded_by,
  };
  return (words[decision ?? ''] ?? m.draft_decided_by)({ name, time });
}

function gone(desk: Desk, conversation: OpenConversation): void {
  conversation.patch({ draft: null, waitingDraftId: null });
  desk.list?.patch(conversation.id, { waitingDraftId: null });
}

export function restoreAsReply(conversation: OpenConversation, words: string): void {
  new KeptText(`reply.${conversation.id}`).text = words;
  conversation.restored += 1;
  said(m.text_kept_as_reply());
}

function msUntil(iso: string): number {
  return Math.max(1_000, new Date(iso).getTime() - Date.now());
}
