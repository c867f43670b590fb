import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { letGoOfLostConnections } from '#domain/database/lost-connections.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const OUTAGES = 4;
/** More than the pool holds. */
const AT_ONCE = 30;

let db: TestDatabase;
let server: pg.Client;

beforeAll(async () => {
  db = await testDatabase();
  server = new pg.Client({ connectionString: process.env.TEST_POSTGRES! });
  await server.connect();
});

afterAll(async () => {
  await server?.end();
  await db?.close();
});

const name = () => new URL(db.url).pathname.slice(1);

/** Ends every connection of the application to the database of this test, as a server that is killed does. */
async function endConnections(): Promise<void> {
  await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = $2', [
    name(),
    new URL(db.url).username,
  ]);
}

async function busyConnections(): Promise<number> {
  const { rows } = await server.query(
    `select count(*)::int as n from pg_stat_activity where datname = $1 and query like '%pg_sleep%' and state = 'active'`,
    [name()],
  );
  return rows[0].n;
}

describe('connections that the server has ended', () => {
  test('are not kept by the transactions they interrupted: the pool never runs dry', async () => {
    const { database } = db;
    for (let outage = 0; outage < OUTAGES; outage += 1) {
      const transactions = Array.from({ length: AT_ONCE }, (_, at) =>
        at % 2 === 0
          ? database.inTenant(newId(), (em) => em.execute('select pg_sleep(10)'))
          : database.acrossTenants((run) => run('select pg_sleep(10)')),
      );
      const ends = Promise.allSettled(transactions);
      let over = false;
      void ends.then(() => {
        over = true;
      });
      await until('connections are busy', async () => (await busyConnections()) > 0);
      // Those that waited for a connection get one now, and lose it in their turn.
      await until('every transaction is over', async () => {
        await endConnections();
        return over;
      });
      expect((await ends).every(({ status }) => status === 'rejected')).toBe(true);
    }
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, () => database.inTenant(newId(), (em) => em.execute('select 1 as one'))),
    );
    expect(answers.flat()).toEqual(Array(AT_ONCE).fill({ one: 1 }));
  });

  test('do not take the process down while somebody holds them, nor trouble whoever gives them back', async () => {
    const pool = new pg.Pool({ connectionString: db.url, max: 1 });
    letGoOfLostConnections(pool);
    const held = await pool.connect();
    const question = held.query('select pg_sleep(10)');
    const answer = question.then(
      () => 'answered',
      (error: Error) => error.message,
    );
    await until('it is asked', async () => (await busyConnections()) > 0);
    await endConnections();
    expect(await answer).toMatch(/terminat/);
    await until('the pool has let it go', () => pool.totalCount === 0);
    held.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });
});
