// Who did what and when, newest first, filtered and keyset paged.
import type { EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import { AuditEvent } from '#domain/record/audit-event.ts';
import type { Answer, Received } from '../contract/route.ts';
import type { record } from '../contract/settings.ts';
import { page, readCursor } from '../paging.ts';

export async function auditTrail(
  em: EntityManager,
  filters: Received<typeof record.listAuditEvents>['query'],
): Promise<Answer<typeof record.listAuditEvents>> {
  const cursor = readCursor(filters.cursor);
  const where: FilterQuery<AuditEvent> = {
    ...(filters.action ? { action: filters.action } : {}),
    ...(filters.actorId ? { actorId: filters.actorId } : {}),
    ...(filters.subjectId ? { subjectId: filters.subjectId } : {}),
    createdAt: {
      ...(filters.from ? { $gte: new Date(filters.from) } : {}),
      ...(filters.to ? { $lt: new Date(filters.to) } : {}),
    },
    ...(cursor
      ? {
          $or: [
            { createdAt: { $lt: new Date(cursor.at) } },
            { createdAt: new Date(cursor.at), id: { $lt: cursor.id } },
          ],
        }
      : {}),
  };
  const rows = await em.find(AuditEvent, where, {
    orderBy: { createdAt: 'desc', id: 'desc' },
    limit: filters.limit + 1,
  });
  const found = page(rows, filters.limit, (row) => row.createdAt);
  return {
    next: found.next,
    items: found.items.map((event) => ({
      id: event.id,
      at: event.createdAt.toISOString(),
      actorKind: event.actorKind,
      actorId: event.actorId ?? null,
      action: event.action,
      subjectKind: event.subjectKind,
      subjectId: event.subjectId,
      before: event.before ?? null,
      after: event.after ?? null,
      ip: event.ip ?? null,
    })),
  };
}
