// What every row of a tenant carries. The ORM filter and the row-level security policy that hang on it are put on in
// database/tenant-locks.ts for each entity that has a `tenantId`: an entity that spreads these columns cannot forget them.
import { randomUUIDv7 } from 'node:crypto';
import { p } from '@mikro-orm/core';

/** A moment, kept to the millisecond with its zone (the ORM's own default drops the fraction). */
export const instant = () => p.datetime().columnType('timestamptz(3)');

export const tenantOwned = {
  id: p.uuid().primary().onCreate(newId),
  tenantId: p.uuid().onCreate((_row, em) => em.getFilterParams<{ tenantId: string }>('tenant').tenantId),
  createdAt: instant().onCreate(() => new Date()),
};

/** For tables that others refer to: foreign keys are on (tenant_id, id), so that none can cross tenants. */
export const referable = { properties: ['tenantId', 'id'] as ['tenantId', 'id'] };

/** A new key: UUID version 7, made by the application so that a row is known before it is stored. */
export function newId(): string {
  return randomUUIDv7();
}
