// Mailboxes whose password or consent is no longer accepted: nothing arrives by them until an admin reconnects them.
import { afterBurst } from './after-burst.ts';
import { api, type IntegrationView } from './api.ts';
import type { Live } from './live.svelte.ts';

export class LostMailboxes {
  all = $state.raw<IntegrationView[]>([]);
  readonly refreshSoon = afterBurst(() => this.refresh(), 300);

  watch(live: Live): () => void {
    const stops = [
      live.on(({ name }) => name === 'settings.changed' && this.refreshSoon()),
      live.onReturn(() => this.refreshSoon()),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async refresh(): Promise<void> {
    const { integrations } = await api.listIntegrations();
    this.all = integrations.filter(({ state }) => state === 'reconnect');
  }
}
