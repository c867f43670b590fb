// Two acts in one moment, in a known order: the first has changed its rows and is not committed yet when the second begins.
import type { EntityManager } from '@mikro-orm/postgresql';
import type { TestDatabase } from './database.ts';
import { until } from './until.ts';

/** @param second begins then; the first is committed as soon as the second waits for a row, or is over */
export async function inThisMoment<Result>(
  { database, owner }: TestDatabase,
  tenantId: string,
  first: (em: EntityManager) => Promise<unknown>,
  second: () => Promise<Result>,
): Promise<Result> {
  const { promise: changed, resolve: hasChanged } = Promise.withResolvers<void>();
  const { promise: end, resolve: commit } = Promise.withResolvers<void>();
  const acting = database.inTenant(tenantId, async (em) => {
    await first(em);
    await em.flush();
    hasChanged();
    await end;
  });
  try {
    await Promise.race([changed, acting]);
    let isOver = false;
    const result = second().finally(() => {
      isOver = true;
    });
    result.catch(() => {});
    await until('it waits, or is over', async () => {
      const { rows } = await owner.query(
        'select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()',
      );
      return isOver || rows.length > 0;
    });
    commit();
    await acting;
    return await result;
  } finally {
    commit();
  }
}
