// The one door to PostgreSQL. `inTenant` is the only way to a tenant's rows: it sets the ORM filter and, inside its
// transaction, the variable that the row-level security policies read.
import { MikroORM, type Options } from '@mikro-orm/core';
import { type EntityManager, PostgreSqlDriver } from '@mikro-orm/postgresql';
import { asksForRuns } from '#domain/record/run-request.ts';
import { ENTITIES } from './entities.ts';
import { letGoOfLostConnections } from './lost-connections.ts';
import { lockToTenant } from './tenant-locks.ts';

export type DatabaseConfig = {
  /** Connection URL of the application's role, which owns no table and cannot bypass row security. */
  url: string;
  poolSize?: number;
};

/** Settings shared by the application and the migrator. */
export function ormOptions(url: string): Partial<Options<PostgreSqlDriver>> {
  return {
    driver: PostgreSqlDriver,
    clientUrl: url,
    driverOptions: { onPoolCreated: letGoOfLostConnections },
    entities: [...ENTITIES],
    discovery: { onMetadata: (meta) => lockToTenant(meta) },
    schemaGenerator: { createForeignKeyConstraints: false },
    debug: false,
  };
}

export class Database {
  readonly orm: MikroORM<PostgreSqlDriver>;
  #wakeTimer: NodeJS.Timeout | null = null;
  #wakeAgain = false;

  private constructor(orm: MikroORM<PostgreSqlDriver>) {
    this.orm = orm;
  }

  static async open(config: DatabaseConfig): Promise<Database> {
    const orm = await MikroORM.init<PostgreSqlDriver>({
      ...ormOptions(config.url),
      pool: { min: 0, max: config.poolSize ?? 10 },
    });
    return new Database(orm);
  }

  /**
   * Runs `work` in one transaction that sees this tenant's rows and no others; what it returns is committed with it.
   * The work may run again after a deadlock, so it must not touch the outside world.
   */
  async inTenant<Result>(tenantId: string, work: (em: EntityManager) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const em = this.orm.em.fork() as EntityManager;
      em.setFilterParams('tenant', { tenantId });
      em.setSessionContext({ variables: { 'app.tenant_id': tenantId } });
      try {
        let asked = false;
        const result = await em.transactional(async (inner) => {
          const done = await work(inner as EntityManager);
          asked = asksForRuns(inner as EntityManager);
          return done;
        });
        if (asked) this.wakeRelay();
        return result;
      } catch (error) {
        if (attempt >= 3 || !isDeadlock(error)) throw error;
      }
    }
  }

  /** For the few reviewed functions that answer before a tenant is known; it sees no tenant's rows. */
  async outsideTenants<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.orm.em.getConnection().execute<Row[]>(sql, [...parameters]);
  }

  /** Such a function with large values: bound as they are ($1, $2…), where the ORM would write them into the statement. */
  async callOutsideTenants<Row extends object>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    const pool = await this.orm.em.getConnection().getNativeClient();
    return (await pool.query<Row>(sql, [...values])).rows;
  }

  /** One transaction of such functions, for the relay: what it takes is held until `work` has ended. */
  async acrossTenants<Result>(work: (run: RunSql) => Promise<Result>): Promise<Result> {
    return this.orm.em.fork().transactional((em) => work((sql, parameters = []) => em.execute(sql, [...parameters])));
  }

  /**
   * Tells the relay that something was asked of Temporal. Outside of any transaction, at once, and then at most every
   * few dozen milliseconds, because a NOTIFY inside one takes a lock that all committing sessions share; a lost word costs
   * nothing but the relay's next look.
   */
  wakeRelay(): void {
    if (this.#wakeTimer) {
      this.#wakeAgain = true;
      return;
    }
    this.outsideTenants(`select pg_notify('${RUN_REQUESTED}', '')`).catch(() => {});
    this.#wakeTimer = setTimeout(() => {
      this.#wakeTimer = null;
      if (!this.#wakeAgain) return;
      this.#wakeAgain = false;
      this.wakeRelay();
    }, WAKE_EVERY_MS);
  }

  async close(): Promise<void> {
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    await this.orm.close();
  }
}

/** Runs one statement and gives its rows. */
export type RunSql = <Row extends object>(sql: string, parameters?: readonly unknown[]) => Promise<Row[]>;

/** The channel on which the relay hears that something was asked of Temporal. */
export const RUN_REQUESTED = 'relais_run_requested';
const WAKE_EVERY_MS = 25;

const DEADLOCK_DETECTED = '40P01';
const SERIALIZATION_FAILURE = '40001';

function isDeadlock(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === DEADLOCK_DETECTED || code === SERIALIZATION_FAILURE;
}
