// Every foreign key is on (tenant_id, id): no row can point into another tenant. They are checked at commit, so that the
// order in which a unit of work writes its rows does not matter.
import { Migration } from '@mikro-orm/migrations';

const TENANT_OWNED = [
  'answering_settings',
  'article',
  'attachment',
  'audit_event',
  'client',
  'contact_point',
  'conversation',
  'credential',
  'draft',
  'event',
  'fingerprint',
  'folder',
  'follow_up',
  'integration',
  'mailbox_cursor',
  'message',
  'note',
  'receipt',
  'reply',
  'rule_filter',
  'run_request',
  'sender_rule',
  'step',
  'sync',
  'thread_key',
  'trial',
];

/** table.column → table, and what happens to the row when the other one goes. */
const REFERENCES: [table: string, column: string, to: string, onDelete: string][] = [
  ['contact_point', 'client_id', 'client', 'cascade'],
  ['conversation', 'client_id', 'client', 'no action'],
  ['conversation', 'integration_id', 'integration', 'no action'],
  ['conversation', 'folder_id', 'folder', 'set null (folder_id)'],
  ['rule_filter', 'folder_id', 'folder', 'cascade'],
  ['mailbox_cursor', 'integration_id', 'integration', 'cascade'],
  ['sync', 'integration_id', 'integration', 'cascade'],
  ['receipt', 'integration_id', 'integration', 'no action'],
  ['thread_key', 'conversation_id', 'conversation', 'cascade'],
  ['message', 'conversation_id', 'conversation', 'cascade'],
  ['message', 'integration_id', 'integration', 'no action'],
  ['attachment', 'message_id', 'message', 'cascade'],
  ['note', 'conversation_id', 'conversation', 'cascade'],
  ['draft', 'conversation_id', 'conversation', 'cascade'],
  ['draft', 'message_id', 'message', 'cascade'],
  ['reply', 'conversation_id', 'conversation', 'cascade'],
  ['reply', 'message_id', 'message', 'cascade'],
  ['reply', 'draft_id', 'draft', 'set null (draft_id)'],
  ['follow_up', 'conversation_id', 'conversation', 'cascade'],
  ['follow_up', 'reply_id', 'reply', 'set null (reply_id)'],
];

export class ForeignKeys extends Migration {
  override up(): void {
    for (const table of TENANT_OWNED) {
      this.addSql(`alter table "${table}" add constraint "${table}_of_tenant"
        foreign key (tenant_id) references tenant (id) deferrable initially deferred`);
    }
    for (const [table, column, to, onDelete] of REFERENCES) {
      this.addSql(`alter table "${table}" add constraint "${table}_${column}_to_${to}"
        foreign key (tenant_id, ${column}) references "${to}" (tenant_id, id)
        on delete ${onDelete} deferrable initially deferred`);
    }
  }
}
