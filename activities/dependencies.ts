// What the activities are given: nothing here is global, and tests hand in their own.
import type { NetConnectOpts } from 'node:net';
import type { Client as TemporalClient } from '@temporalio/client';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';
import type { Database } from '#domain/database/orm.ts';
import type { MailServer } from '#domain/integrations/integration.ts';
import type { OAuthProviders } from '#domain/integrations/oauth-provider.ts';
import type { KeyRing } from '#domain/secrets/key-ring.ts';

export type Dependencies = {
  database: Database;
  keys: KeyRing;
  attachments: AttachmentStore;
  temporal: TemporalClient;
  /** The mail server of the installation, for companies that have not connected a mailbox of their own. */
  installationMail: InstallationMail | null;
  /** Where mailboxes are opened by consent. */
  oauth: OAuthProviders;
  /** The address people type, for links in mails; null leaves them out. */
  appUrl: string | null;
  /** Where Vonage's Messages API is, without a path. */
  vonageUrl: string;
  /** A host of the operator's own network from which webhooks may name files; null leaves public addresses only. */
  filesOrigin: string | null;
  /** Where clamd listens; null leaves files to our own look at them. */
  scanner: NetConnectOpts | null;
  patience: Patience;
};

export type InstallationMail = { server: MailServer; password: string | null; from: string };

/** Waits that belong to the business, so that tests can shorten them. */
export type Patience = {
  /** No automatic reply within this time after anyone replied (two minutes). */
  quietMs: number;
  modelTimeoutMs: number;
  smtpTimeoutMs: number;
  /** How long a mailbox rests when its provider says that it was too much. */
  sendingPauseMs: number;
  /** How long the parts of a long SMS wait for each other. */
  partsWithinMs: number;
  vonageTimeoutMs: number;
};

export const PATIENCE: Patience = {
  quietMs: 120_000,
  modelTimeoutMs: 90_000,
  smtpTimeoutMs: 30_000,
  sendingPauseMs: 10 * 60_000,
  partsWithinMs: 120_000,
  vonageTimeoutMs: 15_000,
};
