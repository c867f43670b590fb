// How the channels fare, for those who look after them; read again whenever a look at a mailbox ends.
import { afterBurst } from './after-burst.ts';
import { api, type IntegrationView } from './api.ts';
import type { Live } from './live.svelte.ts';

/** A schedule may be late by so much before something is wrong with whoever should keep it. */
const LATE_MS = 2 * 60_000;

export type Trouble = { channel: IntegrationView; kind: 'failing' | 'needs-person' | 'late' };

export class Channels {
  all = $state.raw<IntegrationView[]>([]);
  readonly #refreshSoon = afterBurst(() => this.refresh(), 500);

  watch(live: Live): () => void {
    const stops = [
      live.on(({ name }) => (name === 'settings.changed' || name === 'sync.progressed') && this.#refreshSoon()),
      live.onReturn(() => this.#refreshSoon()),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async refresh(): Promise<void> {
    this.all = (await api.listIntegrations()).integrations;
  }

  /** When the newest mail of all was received. */
  get lastMailAt(): string | null {
    return this.all.reduce<string | null>(
      (newest, { lastMailAt }) => (lastMailAt && lastMailAt > (newest ?? '') ? lastMailAt : newest),
      null,
    );
  }
}

export function troubleOf(channel: IntegrationView, now: number): Trouble | null {
  if (channel.state === 'reconnect') return { channel, kind: 'needs-person' };
  if (channel.state !== 'active') return null;
  if (channel.failingSince) return { channel, kind: 'failing' };
  const isLate = channel.nextLookAt !== null && now > Date.parse(channel.nextLookAt) + LATE_MS;
  return isLate && !channel.isReading ? { channel, kind: 'late' } : null;
}
