// What the routes are given; nothing in the API is global.

import type pg from 'pg';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';
import type { SendingAccounts } from '#domain/conversations/reply-way.ts';
import type { Database } from '#domain/database/orm.ts';
import type { OAuthProviders } from '#domain/integrations/oauth-provider.ts';
import type { Log } from '#domain/record/log.ts';
import type { KeyRing } from '#domain/secrets/key-ring.ts';
import type { LiveFeed } from './live.ts';
import type { SignIn } from './sign-in.ts';
import type { TemporalLinks } from './temporal.ts';
import type { ReceiptWriter } from './webhooks/receipt-writer.ts';

export type ApiDependencies = {
  database: Database;
  /** The identity tables: users, sessions, members. */
  identity: pg.Pool;
  signIn: SignIn;
  keys: KeyRing;
  attachments: AttachmentStore;
  receipts: ReceiptWriter;
  live: LiveFeed;
  temporal: TemporalLinks;
  log: Log;
  publicUrl: string;
  setupToken: string | null;
  trustProxy: string;
  /** Where mailboxes can be opened by consent. */
  oauth: OAuthProviders;
  sendingAccounts: SendingAccounts;
  undoMs: number;
  webhookCallsPerMinute: number;
  /** The built screens, as an Express handler. */
  screens: import('express').RequestHandler | null;
};
