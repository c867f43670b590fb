// Connecting a mailbox: an address and a password, or a consent at its provider; the servers when nobody knows them; a
// trial on the real servers, and only what worked is saved.
import { api, type MailboxTrial, type MailServer, type Reply } from '#lib/api.ts';
import type { Live } from '#lib/live.svelte.ts';
import { sentenceOf } from '#lib/refusal.ts';
import { said } from '#lib/toasts.ts';
import { m } from '#paraglide/messages.js';
import { goto } from '$app/navigation';

const LOOK_EVERY_MS = 1_200;
const EMPTY_SERVER: MailServer = { host: '', port: 993, security: 'tls', username: '' };

export class MailboxWizard {
  address = $state('');
  password = $state('');
  found = $state.raw<Reply<'findMailServers'> | null>(null);
  /** Shown at once when the provider is not known, and on request when it is. */
  showsServers = $state(false);
  imap = $state<MailServer>({ ...EMPTY_SERVER });
  smtp = $state<MailServer>({ ...EMPTY_SERVER, port: 465 });
  trial = $state.raw<MailboxTrial | null>(null);
  isLookingUp = $state(false);
  isTrying = $state(false);
  refusal = $state<string | null>(null);
  /** Back from a provider: the trial is of its consent. */
  isBack = $state(false);
  readonly #live: Live;
  #foundFor = '';

  constructor(live: Live, address: string, trialId: string | null) {
    this.#live = live;
    this.address = address;
    if (trialId) void this.#comeBack(trialId);
    else if (address) void this.find();
  }

  /** Asks for the servers of the address; what was typed by hand for it stays. */
  async find(): Promise<void> {
    const { address } = this;
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(address) || this.#foundFor === address) return;
    const found = await api.findMailServers({ query: { address } }).catch(() => null);
    if (!found || this.address !== address) return;
    this.#foundFor = address;
    this.#take(found);
    if (found.provider === null) await this.#lookUp(address);
  }

  // Nobody here knows the domain: the network is asked, and what was typed meanwhile stays.
  async #lookUp(address: string): Promise<void> {
    this.isLookingUp = true;
    const guessed = JSON.stringify([this.imap, this.smtp]);
    try {
      const { id } = await api.lookUpMailServers({ body: { address } });
      const found = await this.#whenConcluded(id, async () => {
        const answer = await api.getMailServerLookUp({ params: { id } });
        return answer.found;
      });
      if (this.address === address && JSON.stringify([this.imap, this.smtp]) === guessed) this.#take(found);
    } catch {
      // The guess stands, and the trial tells whether it is right.
    } finally {
      this.isLookingUp = false;
    }
  }

  #take(found: Reply<'findMailServers'>): void {
    this.found = found;
    this.imap = { ...found.imap };
    this.smtp = { ...found.smtp };
    this.showsServers = found.source === 'guess';
  }

  async try(): Promise<void> {
    this.isBack = false;
    this.isTrying = true;
    this.refusal = null;
    this.trial = null;
    try {
      await this.find();
      const { address, password, imap, smtp } = this;
      const { id } = await api.tryMailbox({ body: { address, password, imap, smtp } });
      this.trial = await this.#concluded(id);
      if (this.trial.state === 'failed') this.showsServers = true;
    } catch (error) {
      this.refusal = sentenceOf(error);
    } finally {
      this.isTrying = false;
    }
  }

  async #comeBack(trialId: string): Promise<void> {
    this.isBack = true;
    this.isTrying = true;
    try {
      const trial = await this.#concluded(trialId);
      const { state, integrationId: id, address } = trial;
      this.address = address;
      if (state === 'passed' && id) {
        await api.reconnectMailbox({ params: { id }, body: { trialId } });
        said(m.mailbox_reconnected());
        await goto('/settings/channels');
      } else {
        this.trial = trial;
      }
    } catch (error) {
      this.refusal = sentenceOf(error);
    } finally {
      this.isTrying = false;
    }
  }

  /** Something was changed after a trial: it no longer says anything. */
  startOver(): void {
    this.trial = null;
  }

  #concluded(id: string): Promise<MailboxTrial> {
    return this.#whenConcluded(id, async () => {
      const trial = await api.getMailboxTrial({ params: { id } });
      return trial.state === 'running' ? null : trial;
    });
  }

  // By its event, and by looking now and then in case it was missed.
  async #whenConcluded<Found>(id: string, look: () => Promise<Found | null>): Promise<Found> {
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      await new Promise<void>((resolve) => {
        const stop = this.#live.on(({ name, details }) => name === 'trial.concluded' && details.trialId === id && go());
        const timer = setTimeout(go, LOOK_EVERY_MS);
        function go() {
          clearTimeout(timer);
          stop();
          resolve();
        }
      });
    }
  }
}
