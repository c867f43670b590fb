// One connected channel account: a mailbox, a number, a webhook. Its secrets stand in `credential`.
import { defineEntity, p } from '@mikro-orm/core';
import type { SendingLimit } from '#domain/rules/sending-limit.ts';
import { usuallyTakesSubaddresses } from '#domain/rules/subaddress.ts';
import { CHANNELS, type OAuthProviderName, type SignatureAlgorithm } from '#domain/rules/words.ts';
import { instant, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

export type ServerSecurity = 'tls' | 'starttls' | 'none';
export type MailServer = { host: string; port: number; security: ServerSecurity; username: string };

export type MailboxSettings = {
  imap: MailServer;
  smtp: MailServer;
  senderName: string;
  folders: string[];
  /** Where the server puts what it takes for spam; read as well, unless there is none or nobody wants it. */
  junkFolder?: string | null;
  /** ISO day; mail received before it is left alone. */
  since: string;
  syncEverySeconds: number;
  /** Without one, what is usual for the provider. */
  sendingLimit?: SendingLimit | null;
  /** Whether its server takes `name+anything@` for it (domain/rules/subaddress.ts); without a word, what is usual. */
  subaddresses?: boolean | null;
  /** Opened by consent at this provider; without one, by a password. */
  oauth?: OAuthProviderName | null;
};

/** What a mailbox's server offered to read, when it was last asked. */
export type ServerFolders = { paths: string[]; junk: string | null };

export type WebhookSettings = {
  /** The mailbox answers leave from; without one, the installation's own mail server sends them. */
  replyThrough: string | null;
};

/** A number at Vonage, for SMS or WhatsApp; its secrets are the credentials `vonage-…`. */
export type NumberSettings = {
  apiKey: string;
  /** With its private key it signs what we send; without one, the API secret does. */
  applicationId: string | null;
  /** How the account signs its SMS webhooks. */
  signatureAlgorithm: SignatureAlgorithm;
  /** A message within this time of the last one joins its conversation; a later one opens another. */
  threadWindowDays: number;
};

const IntegrationSchema = defineEntity({
  name: 'Integration',
  properties: {
    ...tenantOwned,
    channel: p.enum(CHANNELS),
    name: p.string().length(200),
    /** The address or number clients write to; for a webhook its own id. */
    address: p.string().length(320),
    state: p.enum(['active', 'paused', 'reconnect'] as const).default('active'),
    settings: p.json<MailboxSettings | WebhookSettings | NumberSettings>(),
    lastSuccessAt: instant().nullable(),
    lastError: p.text().nullable(),
    lastErrorAt: instant().nullable(),
    /** When the admins were written to, once for each time a person is needed. */
    reconnectToldAt: instant().nullable(),
    /** Since when every look at it has failed. */
    failingSince: instant().nullable(),
    /** When its server received the newest mail, and how long it was until we had it. */
    lastMailAt: instant().nullable(),
    lagMs: p.integer().nullable(),
    /** Who reads the mailbox now, and until when that is believed without another sign of life. */
    syncingBy: p.uuid().nullable(),
    syncingUntil: instant().nullable(),
    serverFolders: p.json<ServerFolders>().nullable(),
    /** Whether its server tells of new mail by itself (IDLE); null when these settings have not been tried for it. */
    idleOffered: p.boolean().nullable(),
    /** The provider said that it was too much: nothing leaves before then. */
    sendingPausedUntil: instant().nullable(),
    removedAt: instant().nullable(),
  },
  uniques: [
    referable,
    {
      name: 'integration_address_unique',
      expression:
        'create unique index "integration_address_unique" on "integration" ("tenant_id", "channel", "address") where "removed_at" is null',
    },
  ],
});

export class Integration extends IntegrationSchema.class {
  mailboxSettings(): MailboxSettings {
    return this.settings as MailboxSettings;
  }

  /** The folders that are read, in their order. */
  foldersRead(): string[] {
    const { folders, junkFolder } = this.mailboxSettings();
    return junkFolder && !folders.includes(junkFolder) ? [...folders, junkFolder] : folders;
  }

  takesSubaddresses(): boolean {
    const { subaddresses, imap } = this.mailboxSettings();
    return subaddresses ?? usuallyTakesSubaddresses(imap.host, imap.username, this.address);
  }

  /** When its schedule looks at it next; null while it waits for a person. */
  nextLookAt(): Date | null {
    if (this.channel !== 'email' || this.state !== 'active') return null;
    const last = Math.max(this.lastSuccessAt?.getTime() ?? 0, this.lastErrorAt?.getTime() ?? 0);
    return last === 0 ? null : new Date(last + this.mailboxSettings().syncEverySeconds * 1000);
  }

  webhookSettings(): WebhookSettings {
    return this.settings as WebhookSettings;
  }

  numberSettings(): NumberSettings {
    return this.settings as NumberSettings;
  }

  /** Its servers, its password or its state are others than before: what was learned of the server may not hold. */
  changed(): void {
    this.idleOffered = null;
  }

  succeeded(at: Date): void {
    this.lastSuccessAt = at;
    this.lastError = null;
    this.failingSince = null;
    if (this.state === 'reconnect') this.state = 'active';
  }

  /** @param needsPerson the credentials were refused: trying again by itself would only lock the account */
  failed(at: Date, sentence: string, needsPerson: boolean): void {
    this.lastError = sentence;
    this.lastErrorAt = at;
    this.failingSince ??= at;
    if (needsPerson && this.state === 'active') this.state = 'reconnect';
  }

  /** A person entered a password that works, or consented again. */
  reconnected(): void {
    this.state = 'active';
    this.lastError = null;
    this.reconnectToldAt = null;
  }
}
IntegrationSchema.setClass(Integration);
