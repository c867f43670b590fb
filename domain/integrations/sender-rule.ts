// A company's own word on a sender: let through what looks like a newsletter, or keep out what looks personal.
import { defineEntity, p } from '@mikro-orm/core';
import { tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const SenderRuleSchema = defineEntity({
  name: 'SenderRule',
  properties: {
    ...tenantOwned,
    /** An address, or a domain with all below it; lower case. */
    pattern: p.string().length(320),
    verdict: p.enum(['allow', 'block'] as const),
    createdById: p.uuid().nullable(),
  },
  uniques: [{ properties: ['tenantId', 'pattern'] }],
});

export class SenderRule extends SenderRuleSchema.class {}
SenderRuleSchema.setClass(SenderRule);
