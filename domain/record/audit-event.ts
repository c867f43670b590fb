// Who did what, when, from where, before and after. Written in the transaction of the act; the application's role may
// add rows and read them, and nothing else.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ACTOR_KINDS, type Actor, actorId } from '#domain/people/actor.ts';
import { tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const AuditEventSchema = defineEntity({
  name: 'AuditEvent',
  properties: {
    ...tenantOwned,
    actorKind: p.enum(ACTOR_KINDS),
    actorId: p.uuid().nullable(),
    /** Noun, dot, past tense: `draft.approved`. */
    action: p.string().length(60),
    subjectKind: p.string().length(40),
    subjectId: p.uuid(),
    before: p.json<Record<string, unknown>>().nullable(),
    after: p.json<Record<string, unknown>>().nullable(),
    ip: p.string().length(64).nullable(),
    userAgent: p.string().length(300).nullable(),
  },
  indexes: [
    {
      name: 'audit_event_newest',
      expression: 'create index "audit_event_newest" on "audit_event" ("tenant_id", "created_at" desc, "id" desc)',
    },
    { properties: ['tenantId', 'subjectId'] },
  ],
});

export class AuditEvent extends AuditEventSchema.class {}
AuditEventSchema.setClass(AuditEvent);

export type Act = {
  action: string;
  subject: { kind: string; id: string };
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
};

/** Adds the row to the unit of work of the act; never put a secret or a message's text into `before` or `after`. */
export function audit(em: EntityManager, actor: Actor, act: Act): void {
  const from = actor.kind === 'person' || actor.kind === 'program' ? actor : { ip: null, userAgent: null };
  em.create(AuditEvent, {
    actorKind: actor.kind,
    actorId: actorId(actor),
    action: act.action,
    subjectKind: act.subject.kind,
    subjectId: act.subject.id,
    before: act.before ?? null,
    after: act.after ?? null,
    ip: from.ip ?? null,
    userAgent: from.userAgent?.slice(0, 300) ?? null,
  });
}
