// Numbers for SMS and WhatsApp: how a call that names only a number finds its company, what a door did not let in, how
// far a sent message came, and the parts of a long SMS.
import { Migration } from '@mikro-orm/migrations';
import { CURRENT_TENANT } from '../tenant-locks.ts';
import { APPLICATION_ROLE } from './0007-rights.ts';

export class Numbers extends Migration {
  override up(): void {
    this.addSql(`
      -- A column rather than an expression: row security keeps operators on jsonb from their index.
      alter table receipt add column series text generated always as (origin ->> 'series') stored;
      create index receipt_series on receipt (tenant_id, integration_id, series) where series is not null;

      alter table reply add column delivery text null, add column delivery_failure varchar(300) null;
      alter table reply add constraint reply_delivery_check check (delivery in ('submitted', 'delivered', 'read'));
      create index message_sent_as on message (tenant_id, external_id) where direction = 'outbound';

      create table "quarantined_call" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "channel" text not null,
        "integration_id" uuid null,
        "number" varchar(40) null,
        "reason" text not null,
        "digest" varchar(64) not null,
        "count" int not null default 1,
        "last_at" timestamptz(3) not null,
        "raw" bytea null,
        "call" jsonb null,
        "expires_at" timestamptz(3) not null,
        primary key ("id")
      );
      create index "quarantined_call_tenant_id_last_at_index" on "quarantined_call" ("tenant_id", "last_at");
      alter table "quarantined_call" add constraint "quarantined_call_tenant_id_digest_unique" unique ("tenant_id", "digest");
      alter table "quarantined_call" add constraint "quarantined_call_channel_check" check ("channel" in ('email', 'sms', 'whatsapp', 'webhook'));
      alter table "quarantined_call" add constraint "quarantined_call_reason_check" check ("reason" in ('unsigned', 'wrong-signature', 'too-old', 'unknown-number'));

      create table "delivery_receipt" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "provider_id" varchar(100) not null,
        "status" text not null,
        "failure" varchar(300) null,
        primary key ("id")
      );
      alter table "delivery_receipt" add constraint "delivery_receipt_tenant_id_provider_id_status_unique" unique ("tenant_id", "provider_id", "status");
      alter table "delivery_receipt" add constraint "delivery_receipt_status_check" check ("status" in ('submitted', 'delivered', 'read', 'failed'));
    `);
    for (const table of ['quarantined_call', 'delivery_receipt']) {
      this.addSql(`
        alter table "${table}" enable row level security;
        create policy "tenant_isolation" on "${table}" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
        alter table "${table}" add constraint "${table}_of_tenant"
          foreign key (tenant_id) references tenant (id) deferrable initially deferred;
        grant select, insert, update, delete on "${table}" to ${APPLICATION_ROLE};
      `);
    }
    this.addSql(`
      alter table "quarantined_call" add constraint "quarantined_call_integration_id_to_integration"
        foreign key (tenant_id, integration_id) references integration (tenant_id, id)
        on delete cascade deferrable initially deferred;

      create index integration_number on integration (channel, address)
        where channel in ('sms', 'whatsapp') and removed_at is null;
      create index integration_account on integration (channel, (settings ->> 'apiKey'))
        where channel in ('sms', 'whatsapp') and removed_at is null;
      create index integration_application on integration (channel, (settings ->> 'applicationId'))
        where channel in ('sms', 'whatsapp') and removed_at is null;

      -- One address serves every company: the number a message was written to, or else the account that sends it, names
      -- those it may be for. It gives ids and no settings; which of them it is for is told by the signature alone.
      create function find_numbers(of_channel text, number text, short_number text, account text, application text)
        returns table (integration_id uuid, tenant_id uuid, by_number boolean)
        language sql stable security definer set search_path = public, pg_temp
        as $$
          select id, tenant_id, address in (number, short_number) as by_number
            from integration
           where channel = of_channel and channel in ('sms', 'whatsapp') and removed_at is null
             and (address in (number, short_number) or settings ->> 'apiKey' = account
                  or settings ->> 'applicationId' = application)
           order by address in (number, short_number) desc, created_at
           limit 20
        $$;
      revoke execute on function find_numbers(text, text, text, text, text) from public;
      grant execute on function find_numbers(text, text, text, text, text) to ${APPLICATION_ROLE};
    `);
  }
}
