import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getMigrations } from 'better-auth/db/migration';
import pg from 'pg';
import { signInOptions } from '#api/sign-in.ts';
import { migrate } from '#domain/database/migrate.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db?.close());

describe('the migrations', () => {
  test('have nothing to do on a database that has had them', async () => {
    expect(await migrate(db.ownerUrl)).toEqual([]);
  });

  test('may be asked for by several processes at once', async () => {
    expect(await Promise.all([migrate(db.ownerUrl), migrate(db.ownerUrl), migrate(db.ownerUrl)])).toEqual([[], [], []]);
  });

  test('made every column of every entity, of its type', async () => {
    const { rows } = await db.owner.query<{ place: string; type: string; nullable: boolean }>(
      `select c.relname || '.' || a.attname as place, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable
         from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`,
    );
    const columns = new Map(rows.map((row) => [row.place, row]));
    const missing: string[] = [];
    for (const meta of db.database.orm.getMetadata().getAll().values()) {
      for (const property of Object.values(meta.properties)) {
        const place = `${meta.tableName}.${property.fieldNames[0]}`;
        const column = columns.get(place);
        const wanted = property.columnTypes[0]!.replace('varchar', 'character varying')
          .replace(/^int$/, 'integer')
          .replace('bigserial', 'bigint');
        const type = column?.type.replace('timestamp(3) with time zone', 'timestamptz(3)');
        if (type !== wanted || (column?.nullable ?? false) !== (property.nullable ?? false))
          missing.push(`${place}: ${type} is not ${wanted}`);
      }
    }
    expect(missing).toEqual([]);
  });

  test('mended the attributes of clients that were kept as a text', async () => {
    const old = await testDatabase();
    try {
      const acme = await createTenant(old.database, 'acme');
      await old.owner.query(`alter table client drop constraint client_attributes_check`);
      await old.owner.query(`delete from mikro_orm_migrations where name = '0015-client-attributes'`);
      const values = ['"{}"', '"{\\"vip\\": \\"yes\\"}"', '{"vip": "no"}'];
      for (const [at, value] of values.entries()) {
        await old.owner.query(
          'insert into client (id, tenant_id, created_at, name, attributes) values ($1, $2, now(), $3, $4)',
          [newId(), acme, String(at), value],
        );
      }
      expect(await migrate(old.ownerUrl)).toEqual(['0015-client-attributes']);
      const { rows } = await old.owner.query('select attributes from client order by name');
      expect(rows.map(({ attributes }) => attributes)).toEqual([{}, { vip: 'yes' }, { vip: 'no' }]);
    } finally {
      await old.close();
    }
  });

  test('made the identity tables as the auth library wants them', async () => {
    const pool = new pg.Pool({ connectionString: db.ownerUrl, options: '-c search_path=auth' });
    const wanted = await getMigrations(signInOptions({ pool, secret: 's'.repeat(40), publicUrl: 'http://127.0.0.1' }));
    await pool.end();
    expect({ tables: wanted.toBeCreated, columns: wanted.toBeAdded }).toEqual({ tables: [], columns: [] });
  });
});

describe('times', () => {
  test('are kept to the millisecond with their zone', async () => {
    const { rows } = await db.owner.query(
      `select table_name || '.' || column_name as place from information_schema.columns
        where table_schema = 'public' and table_name <> 'mikro_orm_migrations'
          and (data_type = 'timestamp without time zone' or (data_type = 'timestamp with time zone' and datetime_precision < 3))`,
    );
    expect(rows).toEqual([]);
  });
});
