// What happened, for those who watch: open browsers now, a company's own systems later. Written in the transaction of
// the fact; a trigger tells listeners the tenant only, and they read what is new.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { tenantOwned } from '#domain/tenancy/tenant-owned.ts';

export const EVENT_NAMES = [
  'message.received',
  'message.filtered',
  'message.set_aside',
  'conversation.sorted',
  'conversation.changed',
  'conversation.read',
  'draft.waiting',
  'draft.reminded',
  'draft.escalated',
  'draft.decided',
  'reply.changed',
  'follow_up.armed',
  'follow_up.fired',
  'follow_up.cancelled',
  'sync.progressed',
  'trial.concluded',
  'settings.changed',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

const EventSchema = defineEntity({
  name: 'Event',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    tenantId: tenantOwned.tenantId,
    createdAt: tenantOwned.createdAt,
    name: p.string().length(60).$type<EventName>(),
    conversationId: p.uuid().nullable(),
    /** Ids and short codes only. */
    details: p.json<Record<string, string | number | boolean | null>>(),
  },
  indexes: [{ properties: ['tenantId', 'id'] }],
});

export class Event extends EventSchema.class {}
EventSchema.setClass(Event);

export function announce(
  em: EntityManager,
  name: EventName,
  conversationId: string | null,
  details: Record<string, string | number | boolean | null> = {},
): void {
  em.create(Event, { name, conversationId, details });
}
