// What the application's role may do. It owns nothing and cannot bypass row security; the audit trail it may only add to
// and read. The role is made before the migrations run: it carries a password, or is what the login role belongs to.
import { Migration } from '@mikro-orm/migrations';

export const APPLICATION_ROLE = 'relais_app';

export class Rights extends Migration {
  override up(): void {
    this.addSql(`
      grant usage on schema public, auth to ${APPLICATION_ROLE};
      grant select, insert, update, delete on all tables in schema public, auth to ${APPLICATION_ROLE};
      grant usage on all sequences in schema public to ${APPLICATION_ROLE};
      grant execute on function list_tenants(), tenant_of_integration(uuid), take_run_requests(integer),
        settle_run_requests(uuid[]), postpone_run_request(uuid, text, integer),
        keep_receipt(uuid, uuid, uuid, text, text, bytea, jsonb, interval, uuid, text, text) to ${APPLICATION_ROLE};
      revoke update, delete on audit_event from ${APPLICATION_ROLE};
      revoke insert, update, delete on mikro_orm_migrations from ${APPLICATION_ROLE};
    `);
  }
}
