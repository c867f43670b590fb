// What goes along with an answer, when it leaves, and how much a mailbox may send: blind copies, who of several recipients was refused, and files that were handed in for it.
import { Migration } from '@mikro-orm/migrations';
import { CURRENT_TENANT } from '../tenant-locks.ts';
import { APPLICATION_ROLE } from './0007-rights.ts';

export class OutgoingMail extends Migration {
  override up(): void {
    this.addSql(`
      alter table message add column bcc jsonb not null default '[]';
      alter table reply add column refused_recipients jsonb not null default '[]',
        add column scheduled boolean not null default false,
        add column attempted_at timestamptz(3) null;
      create index reply_attempted on reply (tenant_id, integration_id, attempted_at) where attempted_at is not null;
      create index reply_held on reply (tenant_id, integration_id, not_before) where state = 'approved';
      alter table integration add column sending_paused_until timestamptz(3) null;

      create table "upload" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "created_by_id" uuid not null,
        "name" varchar(255) not null,
        "type" varchar(120) not null,
        "size" int not null,
        "sha256" varchar(64) not null,
        "message_id" uuid null,
        "expires_at" timestamptz(3) not null,
        primary key ("id")
      );
      alter table "upload" add constraint "upload_tenant_id_id_unique" unique ("tenant_id", "id");
      create index "upload_tenant_id_expires_at_index" on "upload" ("tenant_id", "expires_at");
      create index "upload_tenant_id_sha256_index" on "upload" ("tenant_id", "sha256");
      create index "upload_message_id" on "upload" ("tenant_id", "message_id") where "message_id" is not null;
      create index "attachment_sha256" on "attachment" ("tenant_id", "sha256");
      alter table "upload" enable row level security;
      create policy "tenant_isolation" on "upload" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "upload" add constraint "upload_of_tenant"
        foreign key (tenant_id) references tenant (id) deferrable initially deferred;
      alter table "upload" add constraint "upload_message_id_to_message"
        foreign key (tenant_id, message_id) references message (tenant_id, id)
        on delete set null (message_id) deferrable initially deferred;
      grant select, insert, update, delete on "upload" to ${APPLICATION_ROLE};
    `);
  }
}
