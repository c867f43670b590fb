// An agent's work on a proposed answer. The proposal may be written again, or decided by somebody else, while they type:
// what they wrote is never overwritten without a word.
import type { DraftView } from './api.ts';
import { KeptText } from './kept-text.svelte.ts';

export class DraftEditing {
  readonly id: string;
  /** The version that was read; approving names it. */
  version = $state(0);
  /** A newer text that has come while this one was being edited. */
  newer = $state.raw<DraftView | null>(null);
  text = $state('');
  #original = $state('');
  #isSettled = false;
  readonly #kept: KeptText;

  constructor(draft: DraftView) {
    this.id = draft.id;
    this.#kept = new KeptText(`proposal.${draft.id}`);
    this.take(draft);
    // Edits of a tab that was closed; of an older version they are offered against the newer text.
    const [version, ...words] = this.#kept.text.split('\n');
    if (words.length === 0) return;
    this.text = words.join('\n');
    if (Number(version) !== draft.version) this.newer = draft;
  }

  get isEdited(): boolean {
    return this.text !== this.#original;
  }

  /** Words of the agent's own that must not go with the proposal, unless it was this agent who decided it. */
  get isKept(): boolean {
    return this.isEdited && !this.#isSettled;
  }

  edit(text: string): void {
    this.text = text;
    this.#kept.text = this.isEdited ? `${this.version}\n${text}` : '';
  }

  /** The server's present draft. */
  hear(draft: DraftView): void {
    if (draft.version === this.version) return;
    if (this.isEdited && draft.text !== this.text) this.newer = draft;
    else this.take(draft);
  }

  take(draft: DraftView): void {
    this.version = draft.version;
    this.text = draft.text;
    this.#original = draft.text;
    this.newer = null;
    this.#kept.text = '';
  }

  /** The agent has seen the newer text and prefers their own. */
  keepMine(): void {
    if (!this.newer) return;
    this.version = this.newer.version;
    this.#original = this.newer.text;
    this.newer = null;
    this.edit(this.text);
  }

  forget(): void {
    this.#isSettled = true;
    this.#kept.text = '';
  }
}
