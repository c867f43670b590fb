// What of an open conversation is in somebody's hands: where they write, which menu is open, and the proposal they work
// on. The conversation itself is the server's.
import { createContext } from 'svelte';
import type { DraftView } from '#lib/api.ts';
import type { Desk } from '#lib/desk.svelte.ts';
import { approve, discard, regenerate, restoreAsReply } from '#lib/draft-acts.ts';
import { DraftEditing } from '#lib/draft-editing.svelte.ts';
import type { OpenConversation } from '#lib/open-conversation.svelte.ts';

export type DockTab = 'draft' | 'reply' | 'note';

export class ThreadScreen {
  readonly conversation: OpenConversation;
  dock = $state<DockTab | null>(null);
  /** Taken by the text box that opens next. */
  wantsFocus = $state(false);
  isStatusOpen = $state(false);
  isMoveOpen = $state(false);
  isAssignOpen = $state(false);
  isFollowUpOpen = $state(false);
  isDeleting = $state(false);
  editing = $state.raw<DraftEditing | null>(null);
  /** A word about the proposal: who decided it first. */
  notice = $state<string | null>(null);

  constructor(conversation: OpenConversation) {
    this.conversation = conversation;
  }

  askToDelete(): void {
    this.isDeleting = true;
  }

  open(dock: DockTab): void {
    this.dock = dock;
    this.wantsFocus = true;
  }

  async approve(desk: Desk): Promise<void> {
    if (this.editing) this.notice = await approve(desk, this.conversation, this.editing);
  }

  async discard(desk: Desk): Promise<void> {
    if (this.editing) this.notice = await discard(desk, this.conversation, this.editing);
  }

  async regenerate(desk: Desk, instruction: string): Promise<void> {
    if (this.editing) this.notice = await regenerate(desk, this.conversation, this.editing, instruction);
  }

  /** What the server says of the proposal now: new, written again, or gone. */
  hearDraft(draft: DraftView | null): void {
    const { editing } = this;
    if (draft && editing?.id === draft.id) {
      editing.hear(draft);
      return;
    }
    const isKept = editing?.isKept === true;
    if (isKept) restoreAsReply(this.conversation, editing.text);
    editing?.forget();
    this.editing = draft ? new DraftEditing(draft) : null;
    if (draft && this.dock === null) this.dock = 'draft';
    if (!draft && this.dock === 'draft') this.dock = isKept ? 'reply' : null;
  }
}

export const [getThread, setThread] = createContext<ThreadScreen>();
