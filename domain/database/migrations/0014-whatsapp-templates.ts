// The templates of a WhatsApp number, and which one a message was made from.
import { Migration } from '@mikro-orm/migrations';
import { CURRENT_TENANT } from '../tenant-locks.ts';
import { APPLICATION_ROLE } from './0007-rights.ts';

export class WhatsappTemplates extends Migration {
  override up(): void {
    this.addSql(`
      alter table message add column template jsonb null;

      create table "whatsapp_template" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "integration_id" uuid not null,
        "name" varchar(620) not null,
        "language" varchar(10) not null,
        "body" varchar(1024) not null,
        primary key ("id")
      );
      alter table "whatsapp_template" add constraint "whatsapp_template_tenant_id_integration_id_name_language_unique"
        unique ("tenant_id", "integration_id", "name", "language");
      alter table "whatsapp_template" enable row level security;
      create policy "tenant_isolation" on "whatsapp_template" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "whatsapp_template" add constraint "whatsapp_template_of_tenant"
        foreign key (tenant_id) references tenant (id) deferrable initially deferred;
      alter table "whatsapp_template" add constraint "whatsapp_template_integration_id_to_integration"
        foreign key (tenant_id, integration_id) references integration (tenant_id, id)
        on delete cascade deferrable initially deferred;
      grant select, insert, update, delete on "whatsapp_template" to ${APPLICATION_ROLE};
    `);
  }
}
