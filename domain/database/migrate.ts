// Brings the tables up to date, forward only, one process at a time.
import { MikroORM } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import type { PostgreSqlDriver } from '@mikro-orm/postgresql';
import pg from 'pg';
import { Identity } from './migrations/0001-identity.ts';
import { Tables } from './migrations/0002-tables.ts';
import { ForeignKeys } from './migrations/0003-foreign-keys.ts';
import { Words } from './migrations/0004-words.ts';
import { Doors } from './migrations/0005-doors.ts';
import { Live } from './migrations/0006-live.ts';
import { Rights } from './migrations/0007-rights.ts';
import { Numbers } from './migrations/0008-numbers.ts';
import { MailboxConsent } from './migrations/0009-mailbox-consent.ts';
import { MailboxHealth } from './migrations/0010-mailbox-health.ts';
import { DeletedConversations } from './migrations/0011-deleted-conversations.ts';
import { OutgoingMail } from './migrations/0012-outgoing-mail.ts';
import { CheckedFiles } from './migrations/0013-checked-files.ts';
import { WhatsappTemplates } from './migrations/0014-whatsapp-templates.ts';
import { ClientAttributes } from './migrations/0015-client-attributes.ts';
import { ormOptions } from './orm.ts';

/** In order; the names are what the table mikro_orm_migrations keeps, for ever. */
const MIGRATIONS = [
  { name: '0001-identity', class: Identity },
  { name: '0002-tables', class: Tables },
  { name: '0003-foreign-keys', class: ForeignKeys },
  { name: '0004-words', class: Words },
  { name: '0005-doors', class: Doors },
  { name: '0006-live', class: Live },
  { name: '0007-rights', class: Rights },
  { name: '0008-numbers', class: Numbers },
  { name: '0009-mailbox-consent', class: MailboxConsent },
  { name: '0010-mailbox-health', class: MailboxHealth },
  { name: '0011-deleted-conversations', class: DeletedConversations },
  { name: '0012-outgoing-mail', class: OutgoingMail },
  { name: '0013-checked-files', class: CheckedFiles },
  { name: '0014-whatsapp-templates', class: WhatsappTemplates },
  { name: '0015-client-attributes', class: ClientAttributes },
];

export const NEWEST_MIGRATION = MIGRATIONS.at(-1)!.name;

// Any number, as long as every Relais takes the same.
const MIGRATION_LOCK = 7_354_120;

/**
 * @param ownerUrl connection URL of the role that owns the tables, not the application's
 * @returns the names of the migrations that were applied now
 */
export async function migrate(ownerUrl: string): Promise<string[]> {
  const lock = new pg.Client({ connectionString: ownerUrl });
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const orm = await MikroORM.init<PostgreSqlDriver>({
      ...ormOptions(ownerUrl),
      extensions: [Migrator],
      migrations: { migrationsList: MIGRATIONS, snapshot: false, silent: true },
    });
    try {
      const applied = await orm.migrator.up();
      return applied.map((migration) => migration.name);
    } finally {
      await orm.close();
    }
  } finally {
    await lock.end();
  }
}
