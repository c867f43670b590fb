// The few questions that are asked before a tenant is known, each a function that answers one of them and no more. They
// run with the owner's rights, past row security; the application's role may call them and nothing beneath.
import { Migration } from '@mikro-orm/migrations';

export class Doors extends Migration {
  override up(): void {
    this.addSql(`
      -- For the sweep and the rotation of keys.
      create function list_tenants() returns setof uuid
        language sql stable security definer set search_path = public, pg_temp
        as 'select id from tenant order by id';

      -- A webhook's address names the integration, and through it the tenant.
      create function tenant_of_integration(wanted uuid) returns uuid
        language sql stable security definer set search_path = public, pg_temp
        as 'select tenant_id from integration where id = wanted and removed_at is null';

      -- The relay takes the oldest requests of all tenants and holds them by its transaction: a relay that dies lets go
      -- of them at once, and another one goes on.
      create function take_run_requests(most integer)
        returns table (id uuid, tenant_id uuid, kind text, name text, workflow_id text, input jsonb, attempts integer)
        language sql volatile security definer set search_path = public, pg_temp
        as $$
          select id, tenant_id, kind, name, workflow_id, input, attempts from run_request
           where waits_until is null or waits_until < now()
           order by id limit most for update skip locked
        $$;

      create function settle_run_requests(ids uuid[]) returns void
        language sql volatile security definer set search_path = public, pg_temp
        as 'delete from run_request where id = any(ids)';

      create function postpone_run_request(request uuid, problem text, wait_ms integer) returns void
        language sql volatile security definer set search_path = public, pg_temp
        as $$
          update run_request
             set last_error = problem, attempts = attempts + 1, waits_until = now() + wait_ms * interval '1 millisecond'
           where id = request
        $$;

      -- One statement for a webhook's door: the receipt and the request for its run, under the tenant's own lock.
      create function keep_receipt(new_receipt uuid, of_tenant uuid, of_integration uuid, source text, form text,
                                   content bytea, about jsonb, retention interval, new_request uuid, workflow text,
                                   run text)
        returns boolean
        language plpgsql volatile security invoker set search_path = public, pg_temp
        as $$
        begin
          perform set_config('app.tenant_id', of_tenant::text, true);
          insert into receipt (id, tenant_id, created_at, integration_id, source_id, format, raw, origin, expires_at)
            values (new_receipt, of_tenant, now(), of_integration, source, form, content, about, now() + retention)
            on conflict (tenant_id, integration_id, source_id) do nothing;
          if not found then
            return false;
          end if;
          insert into run_request (id, tenant_id, created_at, kind, name, workflow_id, input)
            values (new_request, of_tenant, now(), 'start', workflow, run,
                    jsonb_build_object('tenantId', of_tenant, 'receiptId', new_receipt));
          return true;
        end
        $$;

      revoke execute on all functions in schema public from public;
    `);
  }
}
