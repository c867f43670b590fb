// One round of a kill: clients write, get drafts, are answered and followed up while a process dies at a named point of
// the road; then everything is counted from outside. Nothing may be lost or recorded twice, no client may have a second
// mail, and every outcome that cannot be known is listed for a person.
import { expect } from '@jest/globals';
import type { ApiClient } from '#api/contract/client.ts';
import type { RelaisContract } from '#api/contract/contract.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { ManagedProcess } from '../../bin/house/managed-process.ts';
import { Installation, type InstallationOptions, persistently } from './installation.ts';
import { until } from './until.ts';

export const ROUNDS = process.env.TEST_SIZE === 'long' ? 20 : 1;
export const MESSAGES = 4;
/** Several stories look at once: looking must not be what the machine is busy with. */
const LOOK_EVERY_MS = 150;

type Outcome = 'sent' | 'unknown';

export class FaultRounds {
  readonly house: Installation;
  readonly api: ApiClient<RelaisContract>;
  readonly #webhook: { id: string; secret: string };

  private constructor(house: Installation, api: ApiClient<RelaisContract>, webhook: { id: string; secret: string }) {
    this.house = house;
    this.api = api;
    this.#webhook = webhook;
  }

  static async open(options: InstallationOptions = {}): Promise<FaultRounds> {
    const house = await Installation.open(options);
    const api = await house.welcome();
    await api.createArticle({ body: { title: 'Où est ma commande ?', text: 'Trois jours ouvrés.', language: 'fr' } });
    await api.createFolder({
      body: {
        name: 'Commandes',
        replyMode: 'validation',
        rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
        followUpMode: 'remind',
        followUpAfterSeconds: 1,
      },
    });
    const { integration, secret } = await api.createWebhook({ body: { name: 'Boutique' } });
    await house.neverClose();
    return new FaultRounds(house, api, { id: integration.id, secret });
  }

  close(): Promise<void> {
    return this.house.close();
  }

  /** One client's whole story: writes, gets a draft, an agent approves, and the mail goes out or is listed as unknown. */
  async story(client: string): Promise<Outcome> {
    await this.house.deliver(
      this.#webhook,
      { from: { email: client }, subject: 'Commande', text: 'Bonjour, ma commande ?' },
      client,
    );
    const row = await until(
      `a draft waits for ${client}`,
      async () => {
        const { items } = await persistently(() =>
          this.api.listConversations({ query: { place: 'to-approve', limit: 100 } }),
        );
        return items.find((item) => item.client.contact === client);
      },
      60_000,
      LOOK_EVERY_MS,
    );
    await persistently(() => this.#approve(row.id, row.waitingDraftId!));
    return until(
      `the reply to ${client} is settled`,
      async () => {
        const view = await persistently(() => this.api.getConversation({ params: { id: row.id } }));
        const state = view.messages.at(-1)?.reply?.state;
        return state === 'sent' || state === 'unknown' ? state : null;
      },
      60_000,
      LOOK_EVERY_MS,
    );
  }

  // The agent's own click may have been taken before the connection died: then the second one is told so.
  async #approve(conversationId: string, draftId: string): Promise<void> {
    const { draft } = await this.api.getConversation({ params: { id: conversationId } });
    if (draft?.id !== draftId) return;
    await this.api.approveDraft({ params: { id: draftId }, body: { version: draft.version } });
  }

  /** Everything the clients of one round can expect, counted in the tables and at the mail server. */
  async account(clients: string[]) {
    const [counts] = await this.house.ask<{
      messages: number;
      conversations: number;
      replies: number;
      unfinished: number;
      orphans: number;
    }>(
      `with ours as (
         select conversation.* from conversation join contact_point on contact_point.client_id = conversation.client_id
          where contact_point.value = any($1)
       )
       select (select count(*)::int from message where conversation_id in (select id from ours) and direction = 'inbound') as messages,
              (select count(*)::int from ours) as conversations,
              (select count(*)::int from reply where conversation_id in (select id from ours)) as replies,
              (select count(*)::int from receipt where state = 'kept') as unfinished,
              (select count(*)::int from conversation where not exists (select from message where conversation_id = conversation.id)) as orphans`,
      [clients],
    );
    const mails = clients.map((client) => this.house.sink.to(client).length);
    return { ...counts!, mails };
  }

  async round(target: ManagedProcess, point: string, hit: number): Promise<Outcome[]> {
    const died = await this.house.arm(target, point, hit);
    const clients = Array.from({ length: MESSAGES }, () => `camille-${newId().slice(-12)}@example.com`);
    const outcomes = await Promise.all(clients.map((client) => this.story(client)));
    const diedAt = await died();
    await until(
      'every follow-up of this round has fired',
      async () => {
        const [row] = await this.house.ask<{ n: number }>(
          `select count(*)::int as n from follow_up where state = 'armed'`,
        );
        return row?.n === 0;
      },
      30_000,
    );
    const counted = await this.account(clients);
    expect(counted).toMatchObject({
      messages: MESSAGES,
      conversations: MESSAGES,
      replies: MESSAGES,
      unfinished: 0,
      orphans: 0,
    });
    // Never a second mail; and none at all only where the outcome is listed as unknown.
    clients.forEach((_, index) => {
      expect(counted.mails[index]).toBeLessThanOrEqual(1);
      if (outcomes[index] === 'sent') expect(counted.mails[index]).toBe(1);
    });
    const { items } = await this.api.listOutbox();
    const unknown = items.filter((item) => clients.includes(item.to));
    expect(unknown).toHaveLength(outcomes.filter((outcome) => outcome === 'unknown').length);
    const handedOver = await this.#handedOverBy(diedAt);
    expect(handedOver).toEqual(expect.arrayContaining(unknown.map((item) => item.id)));
    return outcomes;
  }

  /** Only these may have an unknown outcome: their last bytes were on the way when the process died. */
  async #handedOverBy(moment: Date): Promise<string[]> {
    const rows = await this.house.ask<{ id: string }>('select id from reply where handed_over_at <= $1', [moment]);
    return rows.map(({ id }) => id);
  }
}
