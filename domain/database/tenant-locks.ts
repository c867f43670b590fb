// Two of the three locks of tenancy, put on every entity with a `tenantId` when the ORM discovers it: the filter, which
// fails closed when no tenant is set, and the row-level security policy. The third is inTenant() in orm.ts.
import type { EntityMetadata } from '@mikro-orm/core';

/** The tenant of the transaction; null outside of one, so that nothing matches. */
export const CURRENT_TENANT = `nullif(current_setting('app.tenant_id', true), '')::uuid`;

export function lockToTenant(meta: EntityMetadata): void {
  if (!meta.properties || !('tenantId' in meta.properties)) return;
  meta.filters = {
    ...meta.filters,
    tenant: {
      name: 'tenant',
      cond: (args: { tenantId: string }) => ({ tenantId: args.tenantId }),
      default: true,
      strict: true,
    },
  };
  meta.rowLevelSecurity = true;
  meta.policies = [
    {
      name: 'tenant_isolation',
      using: `tenant_id = ${CURRENT_TENANT}`,
      check: `tenant_id = ${CURRENT_TENANT}`,
    },
  ];
}
