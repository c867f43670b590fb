// When a company is open.
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import type { businessHours } from '../contract/business-hours.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';

export function businessHoursRoutes({ database }: ApiDependencies): Handlers<typeof businessHours> {
  return {
    getBusinessHours: ({ principal: { tenantId } }) =>
      database.inTenant(tenantId, async (em) => (await findTenant(em, tenantId)).businessHours),

    setBusinessHours: ({ principal: { tenantId, actor }, body }) =>
      database.inTenant(tenantId, async (em) => {
        const tenant = await findTenant(em, tenantId, { lockMode: LockMode.PESSIMISTIC_WRITE });
        const before = tenant.businessHours;
        tenant.businessHours = { ...body, holidays: [...new Set(body.holidays)].sort() };
        audit(em, actor, {
          action: 'business_hours.changed',
          subject: { kind: 'tenant', id: tenantId },
          before: { timeZone: before.timeZone },
          after: { timeZone: body.timeZone },
        });
        announce(em, 'settings.changed', null, {});
        return tenant.businessHours;
      }),
  };
}

function findTenant(em: EntityManager, id: string, options: { lockMode?: LockMode } = {}): Promise<Tenant> {
  return em.findOneOrFail(Tenant, { id }, options);
}
