// One conversation as it is shown: read once, kept fresh by what happens, changed here before the server has answered.
import { afterBurst } from './after-burst.ts';
import { api, type ConversationView, RefusedByApi } from './api.ts';
import type { Live } from './live.svelte.ts';
import { ReplyOptions } from './reply-options.svelte.ts';

export class OpenConversation {
  readonly id: string;
  /** What is to go along with the next answer. */
  readonly options: ReplyOptions;
  view = $state.raw<ConversationView | null>(null);
  state = $state<'loading' | 'ready' | 'missing' | 'failed'>('loading');
  /** Counts the times a text was put back into the reply box from elsewhere. */
  restored = $state(0);
  /** It is answered by a template of WhatsApp, and not in free words. */
  usesTemplate = $state(false);
  readonly refreshSoon = afterBurst(() => this.refresh(), 150);

  constructor(id: string) {
    this.id = id;
    this.options = new ReplyOptions(id);
  }

  watch(live: Live): () => void {
    const stops = [
      live.on(({ conversationId }) => conversationId === this.id && this.refreshSoon()),
      live.onReturn(() => this.refreshSoon()),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async load(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      if (this.view) return;
      this.state = error instanceof RefusedByApi && error.problem.status === 404 ? 'missing' : 'failed';
    }
  }

  async refresh(): Promise<void> {
    this.view = await api.getConversation({ params: { id: this.id } });
    this.state = 'ready';
  }

  patch(change: Partial<ConversationView>): void {
    if (this.view) this.view = { ...this.view, ...change };
  }
}
