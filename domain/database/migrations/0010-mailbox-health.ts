// What is known of a mailbox's server beside its settings.
import { Migration } from '@mikro-orm/migrations';

export class MailboxHealth extends Migration {
  override up(): void {
    this.addSql('alter table integration add column idle_offered boolean null, add column server_folders jsonb null;');
  }
}
