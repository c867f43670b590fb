// A deleted conversation is hidden at once, and its rows are removed some days later. And the count that limits automatic
// replies, asked at every message, has its index.
import { Migration } from '@mikro-orm/migrations';

export class DeletedConversations extends Migration {
  override up(): void {
    this.addSql(`
      alter table conversation add column deleted_at timestamptz(3) null;
      create index conversation_deleted on conversation (tenant_id, deleted_at) where deleted_at is not null;
      create index reply_automatic on reply (tenant_id, created_at) where automatic;
    `);
  }
}
