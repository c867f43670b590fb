// What is known of a mailbox's server beside its settings, how it fares, and whether all of its mail is here.
import { Migration } from '@mikro-orm/migrations';

export class MailboxHealth extends Migration {
  override up(): void {
    this.addSql(`
      alter table integration
        add column idle_offered boolean null,
        add column server_folders jsonb null,
        add column failing_since timestamptz(3) null,
        add column last_mail_at timestamptz(3) null,
        add column lag_ms int null;
      alter table mailbox_cursor
        add column existing int null,
        add column at_server int null,
        add column missing int null,
        add column compared_at timestamptz(3) null;
      alter table trial drop constraint trial_kind_check;
      alter table trial add constraint trial_kind_check check (kind in ('mailbox', 'mail-servers'));
      alter table sync drop constraint sync_trigger_check;
      alter table sync add constraint sync_trigger_check check (trigger in ('schedule', 'person', 'backfill'));
    `);
  }
}
