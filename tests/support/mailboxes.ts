// Mailboxes connected through the API, as an admin connects them, and looked at as an agent looks at them.
import { Message } from '#domain/conversations/message.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import type { Dovecot } from './dovecot.ts';
import { MAIL_PASSWORD } from './dovecot.ts';
import type { Company, Road } from './road.ts';
import { until } from './until.ts';

export type Security = 'tls' | 'starttls' | 'none';
export type Typed = {
  address: string;
  user?: string;
  password?: string;
  host?: string;
  port?: number;
  security?: Security;
  smtpPort?: number;
  smtpHost?: string;
  smtpSecurity?: Security;
};

export type Connecting = Typed & {
  /** How long the first look may take. */
  withinMs?: number;
  since?: string;
  folders?: string[];
  syncEverySeconds?: number;
  senderName?: string;
  readJunk?: boolean;
};

/** So seldom that a test has the mailbox to itself; the first look comes at once. */
const SELDOM_SECONDS = 86_400;
/** Thousands of rows are not counted without a pause. */
const COUNT_EVERY_MS = 100;

export class Mailboxes {
  readonly #road: Road;
  readonly #dovecot: Dovecot;

  constructor(road: Road, dovecot: Dovecot) {
    this.#road = road;
    this.#dovecot = dovecot;
  }

  async try(company: Company, typed: Typed) {
    const { id } = await company.owner.api.tryMailbox({ body: this.#typed(typed) });
    return until(
      `the trial of ${typed.address} is over`,
      async () => {
        const trial = await company.owner.api.getMailboxTrial({ params: { id } });
        return trial.state !== 'running' && trial;
      },
      40_000,
    );
  }

  /** Tries, connects, and waits for the first look of its schedule. */
  async connect(company: Company, typed: Connecting): Promise<string> {
    const trial = await this.try(company, typed);
    if (trial.state !== 'passed') throw new Error(`The trial failed: ${JSON.stringify(trial.problems)}`);
    const connected = await company.owner.api.connectMailbox({
      body: {
        trialId: trial.id,
        name: typed.address,
        since: typed.since ?? '2026-01-01',
        folders: typed.folders ?? ['INBOX'],
        readJunk: typed.readJunk ?? true,
        syncEverySeconds: typed.syncEverySeconds ?? SELDOM_SECONDS,
        senderName: typed.senderName ?? '',
      },
    });
    await until(
      `${typed.address} was looked at`,
      async () => {
        const row = await this.row(company, connected.id);
        return row.lastSuccessAt ?? row.lastErrorAt;
      },
      typed.withinMs,
    );
    return connected.id;
  }

  async row(company: Company, id: string) {
    const { integrations } = await company.owner.api.listIntegrations();
    return integrations.find((row) => row.id === id)!;
  }

  /** Presses the button, and waits until the mailbox is read and every run has come to its end. */
  async sync(company: Company, id: string, withinMs = 120_000) {
    const ended = await until('the mailbox is read', () => this.#readOnce(company, id, withinMs), withinMs);
    return until(
      'its mails have had their runs',
      async () => {
        const view = await company.owner.api.getSync({ params: { id: ended } });
        return view.pending === 0 && view;
      },
      withinMs,
      COUNT_EVERY_MS,
    );
  }

  /** All receipts have had their runs. */
  async settled(company: Company, withinMs = 60_000): Promise<void> {
    await until(
      'every receipt has had its run',
      () =>
        this.#road.db.database.inTenant(
          company.tenantId,
          async (em) => (await em.count(Receipt, { state: 'kept' })) === 0,
        ),
      withinMs,
      COUNT_EVERY_MS,
    );
  }

  async subjects(company: Company): Promise<string[]> {
    const messages = await this.messages(company);
    return messages.map((message) => message.subject).sort();
  }

  messages(company: Company): Promise<Message[]> {
    return this.#road.db.database.inTenant(company.tenantId, (em) =>
      em.find(Message, { direction: 'inbound' }, { orderBy: { createdAt: 'asc' } }),
    );
  }

  // The schedule may be at it in the same moment: then this look ends at once and another one is asked for.
  async #readOnce(company: Company, id: string, withinMs: number): Promise<string | null> {
    const asked = await company.owner.api.syncIntegration({ params: { id } });
    const view = await until(
      'the look is over',
      async () => {
        const now = await company.owner.api.getSync({ params: { id: asked.id } }).catch(() => null);
        return now?.state !== 'running' && { state: now?.state };
      },
      withinMs,
      COUNT_EVERY_MS,
    );
    return view.state === 'done' || view.state === 'failed' ? asked.id : null;
  }

  #typed(typed: Typed) {
    const username = typed.user ?? typed.address;
    return {
      address: typed.address,
      password: typed.password ?? MAIL_PASSWORD,
      imap: {
        host: typed.host ?? '127.0.0.1',
        port: typed.port ?? this.#dovecot.port,
        security: typed.security ?? ('none' as const),
        username,
      },
      smtp: {
        host: typed.smtpHost ?? '127.0.0.1',
        port: typed.smtpPort ?? this.#road.sink.port,
        security: typed.smtpSecurity ?? ('none' as const),
        username,
      },
    };
  }
}
