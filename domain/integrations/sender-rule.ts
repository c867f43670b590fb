// A company's own word on a sender: let through what looks like a newsletter, or keep out what looks personal.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { newId, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

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

/** The last word counts, also when several are said at once: an agent marks five messages of one sender. */
export async function setSenderRule(
  em: EntityManager,
  tenantId: string,
  { pattern, verdict, createdById }: Pick<SenderRule, 'pattern' | 'verdict' | 'createdById'>,
): Promise<SenderRule> {
  await em.execute(
    `insert into sender_rule (id, tenant_id, created_at, pattern, verdict, created_by_id) values (?, ?, ?, ?, ?, ?)
     on conflict (tenant_id, pattern) do update set verdict = excluded.verdict`,
    [newId(), tenantId, new Date(), pattern, verdict, createdById ?? null],
  );
  return em.findOneOrFail(SenderRule, { pattern }, { refresh: true });
}
