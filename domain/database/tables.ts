// The tables as Kysely sees them, inferred from the entities: for lists, counts and everything else that is a query
// rather than a thing. Columns keep their database names.
import type { EntityManager, InferClassEntityDB } from '@mikro-orm/postgresql';
import type { ENTITIES } from './entities.ts';

export type Tables = InferClassEntityDB<(typeof ENTITIES)[number]>;

/** Bound to the transaction of `em`, and so to its tenant. */
export function queries(em: EntityManager) {
  return em.getKysely<Tables>({ convertValues: true });
}
