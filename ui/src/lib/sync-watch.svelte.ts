// Follows one synchronisation until all it found has gone through its runs: by its events, and by looking again in
// case one was missed.
import { api, type SyncView } from './api.ts';
import type { Live } from './live.svelte.ts';
import { refused } from './toasts.ts';

const LOOK_EVERY_MS = 1_500;

export class SyncWatch {
  sync = $state.raw<SyncView | null>(null);
  isStarting = $state(false);
  readonly #live: Live;
  #stop = (): void => {};

  constructor(live: Live) {
    this.#live = live;
  }

  get isRunning(): boolean {
    return this.isStarting || this.sync?.state === 'running' || (this.sync?.state === 'done' && this.sync.pending > 0);
  }

  async start(integrationId: string): Promise<void> {
    this.stop();
    this.isStarting = true;
    try {
      this.follow(await api.syncIntegration({ params: { id: integrationId } }));
    } catch (error) {
      refused(error);
    } finally {
      this.isStarting = false;
    }
  }

  /** Shows one that has begun, or is over. */
  follow(sync: SyncView): void {
    this.stop();
    this.sync = sync;
    if (this.isRunning) this.#follow(sync.id);
  }

  stop(): void {
    this.#stop();
  }

  #follow(id: string): void {
    const look = async () => {
      this.sync = await api.getSync({ params: { id } }).catch(() => this.sync);
      if (!this.isRunning) this.stop();
    };
    const stopListening = this.#live.on(({ name, details }) => {
      if (name === 'sync.progressed' && details.syncId === id) void look();
    });
    const timer = setInterval(look, LOOK_EVERY_MS);
    this.#stop = () => {
      stopListening();
      clearInterval(timer);
    };
  }
}
