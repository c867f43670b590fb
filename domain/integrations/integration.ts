// One connected channel account: a mailbox, a number, a webhook. Its secrets stand in `credential`.
import { defineEntity, p } from '@mikro-orm/core';
import type { SendingLimit } from '#domain/rules/sending-limit.ts';
import { CHANNELS, type OAuthProviderName, type SignatureAlgorithm } from '#domain/rules/words.ts';
import { instant, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

export type ServerSecurity = 'tls' | 'starttls' | 'none';
export type MailServer = { host: string; port: number; security: ServerSecurity; username: string };

export type MailboxSettings = {
  imap: MailServer;
  smtp: MailServer;
  senderName: string;
  folders: string[];
  /** ISO day; mail received before it is left alone. */
  since: string;
  syncEverySeconds: number;
  /** Without one, what is usual for the provider. */
  sendingLimit?: SendingLimit | null;
  /** Opened by consent at this provider; without one, by a password. */
  oauth?: OAuthProviderName | null;
};

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
    /** Who reads the mailbox now, and until when that is believed without another sign of life. */
    syncingBy: p.uuid().nullable(),
    syncingUntil: instant().nullable(),
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

  webhookSettings(): WebhookSettings {
    return this.settings as WebhookSettings;
  }

  numberSettings(): NumberSettings {
    return this.settings as NumberSettings;
  }

  succeeded(at: Date): void {
    this.lastSuccessAt = at;
    this.lastError = null;
    if (this.state === 'reconnect') this.state = 'active';
  }

  /** @param needsPerson the credentials were refused: trying again by itself would only lock the account */
  failed(at: Date, sentence: string, needsPerson: boolean): void {
    this.lastError = sentence;
    this.lastErrorAt = at;
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
