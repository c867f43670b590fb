// A company. Its id is the id of the organisation in the identity tables.
import { defineEntity, p } from '@mikro-orm/core';
import type { BusinessHours } from '#domain/rules/business-hours.ts';
import { LOCALES } from '#domain/rules/words.ts';
import { tenantOwned } from './tenant-owned.ts';

/** Monday to Friday, nine to six: what a company has until it says otherwise. */
export const DEFAULT_BUSINESS_HOURS: BusinessHours = {
  timeZone: 'Europe/Paris',
  days: Object.fromEntries([1, 2, 3, 4, 5].map((day) => [day, [{ from: '09:00', to: '18:00' }]])),
  holidays: [],
};

const TenantSchema = defineEntity({
  name: 'Tenant',
  properties: {
    id: p.uuid().primary(),
    // The same value as `id`: it lets one policy and one filter serve this table like every other.
    tenantId: p.uuid(),
    createdAt: tenantOwned.createdAt,
    name: p.string().length(200),
    locale: p.enum(LOCALES).default('fr'),
    /** ISO 3166 region that turns "06 12 34 56 78" into +33612345678. */
    phoneRegion: p.string().length(2).default('FR'),
    businessHours: p.json<BusinessHours>(),
  },
});

export class Tenant extends TenantSchema.class {}
TenantSchema.setClass(Tenant);
