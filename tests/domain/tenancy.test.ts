import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Folder } from '#domain/conversations/folder.ts';
import { ENTITIES } from '#domain/database/entities.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
let acme: string;
let globex: string;

/** Tables without a tenant, each with the reason why it may stand outside. */
const OUTSIDE_TENANTS: Record<string, string> = {
  mikro_orm_migrations: 'which migrations were applied; read for readiness',
};

beforeAll(async () => {
  db = await testDatabase();
  acme = await createTenant(db.database, 'acme');
  globex = await createTenant(db.database, 'globex');
});

afterAll(() => db?.close());

async function tables(): Promise<{ name: string; hasTenant: boolean; secured: boolean; policies: number }[]> {
  const { rows } = await db.owner.query(
    `select c.relname as name, c.relrowsecurity as secured,
            exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) as "hasTenant",
            (select count(*)::int from pg_policy where polrelid = c.oid) as policies
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind = 'r' order by 1`,
  );
  return rows;
}

describe('through the application role without a tenant', () => {
  test('every table with a tenant_id returns no row, although each holds one', async () => {
    const secured = (await tables()).filter((table) => table.hasTenant);
    expect(secured.length).toBeGreaterThanOrEqual(ENTITIES.length);
    for (const { name } of secured) {
      await insertBlankRow(name, acme);
      const { rows: seenByOwner } = await db.owner.query(`select 1 from "${name}" where tenant_id = $1`, [acme]);
      expect({ name, seenByOwner: seenByOwner.length > 0 }).toEqual({ name, seenByOwner: true });
      expect({ name, seen: await db.database.outsideTenants(`select tenant_id from "${name}"`) }).toEqual({
        name,
        seen: [],
      });
    }
  });

  test('no row can be written', async () => {
    await expect(
      db.database.outsideTenants(
        'insert into folder (id, tenant_id, created_at, name, position) values (?, ?, now(), ?, 1)',
        [newId(), acme, 'Intrus'],
      ),
    ).rejects.toThrow(/row-level security/);
  });

  test('the ORM refuses to read at all', async () => {
    await expect(db.database.orm.em.fork().find(Folder, {})).rejects.toThrow(/tenant/);
  });
});

describe('every table', () => {
  test('has a tenant with row-level security and a policy, or stands on the justified list', async () => {
    const unjustified = (await tables()).filter((table) =>
      table.hasTenant ? !(table.secured && table.policies === 1) : !(table.name in OUTSIDE_TENANTS),
    );
    expect(unjustified).toEqual([]);
  });

  test('is owned by somebody else than the application, whose role cannot bypass row security', async () => {
    const { rows } = await db.owner.query(
      `select rolsuper, rolbypassrls, (select count(*)::int from pg_class c where c.relowner = r.oid and c.relkind = 'r') as owned
         from pg_roles r where rolname = 'relais_app'`,
    );
    expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, owned: 0 }]);
  });
});

describe('inTenant', () => {
  test('sees its own rows and stamps them with the tenant', async () => {
    await db.database.inTenant(acme, async (em) => void em.create(Folder, { name: 'Commandes', position: 1 }));
    const names = await db.database.inTenant(acme, async (em) =>
      (await em.find(Folder, {})).map((folder) => folder.name),
    );
    expect(names).toContain('Commandes');
    expect(await db.database.inTenant(globex, (em) => em.count(Folder, { name: 'Commandes' }))).toBe(0);
  });

  test('cannot be talked into another tenant by a raw query, an insert or a disabled filter', async () => {
    await db.database.inTenant(globex, async (em) => {
      expect(await em.execute('select * from folder where tenant_id = ?', [acme])).toEqual([]);
      expect(await em.find(Folder, {}, { filters: false })).toEqual([]);
      expect(await em.nativeUpdate(Folder, { name: 'Commandes' }, { name: 'Volé' }, { filters: false })).toBe(0);
    });
    await expect(
      db.database.inTenant(
        globex,
        async (em) => void em.create(Folder, { tenantId: acme, name: 'Intrus', position: 9 }),
      ),
    ).rejects.toThrow(/row-level security/);
  });

  test('leaves no tenant behind on the connection it used', async () => {
    await db.database.inTenant(acme, (em) => em.count(Folder, {}));
    for (let connection = 0; connection < 30; connection += 1) {
      expect(await db.database.outsideTenants('select id from folder')).toEqual([]);
    }
  });

  test('rolls back everything when the work fails', async () => {
    await expect(
      db.database.inTenant(acme, async (em) => {
        em.create(Folder, { name: 'Jamais', position: 5 });
        await em.flush();
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await db.database.inTenant(acme, (em) => em.count(Folder, { name: 'Jamais' }))).toBe(0);
  });

  test('cannot point a row at another tenant, even when it knows the id', async () => {
    const folderId = newId();
    await db.database.inTenant(
      acme,
      async (em) => void em.create(Folder, { id: folderId, name: 'Cible', position: 2 }),
    );
    const rule = `insert into rule_filter (id, tenant_id, created_at, folder_id, position, condition)
                  values ('${newId()}', '${globex}', now(), '${folderId}', 1, '{}')`;
    await expect(db.database.inTenant(globex, (em) => em.execute(rule))).rejects.toThrow(/foreign key/);
    expect(await db.database.inTenant(globex, (em) => em.count(Conversation, {}))).toBe(0);
  });
});

describe('the audit trail', () => {
  test('can be added to and read, and neither changed nor deleted', async () => {
    await db.database.inTenant(acme, async (em) => {
      await em.execute(
        `insert into audit_event (id, tenant_id, created_at, actor_kind, action, subject_kind, subject_id)
         values ('${newId()}', '${acme}', now(), 'system', 'tenant.created', 'tenant', '${acme}')`,
      );
    });
    for (const sql of ["update audit_event set action = 'tenant.forgotten'", 'delete from audit_event']) {
      await expect(db.database.inTenant(acme, (em) => em.execute(sql))).rejects.toThrow(/permission denied/);
    }
    expect(
      await db.database.inTenant(acme, (em) =>
        em.execute('select action from audit_event where action = ?', ['tenant.created']),
      ),
    ).toHaveLength(1);
  });
});

/** One row of a tenant in any table: every column that must have a value gets one of its type. */
async function insertBlankRow(table: string, tenantId: string): Promise<void> {
  const { rows: columns } = await db.owner.query<{ name: string; type: string }>(
    `select column_name as name, data_type as type from information_schema.columns
      where table_schema = 'public' and table_name = $1 and is_nullable = 'NO' and column_default is null and is_generated = 'NEVER'`,
    [table],
  );
  const { rows: checks } = await db.owner.query<{ definition: string }>(
    `select pg_get_constraintdef(oid) as definition from pg_constraint where contype = 'c' and conrelid = $1::regclass`,
    [table],
  );
  const values = columns.map(({ name, type }) => {
    if (name === 'tenant_id') return tenantId;
    if (table === 'tenant' && name === 'id') return tenantId;
    // Its own value, not what a function makes of it.
    const first = new RegExp(`(?<!\\w|\\w\\()\\(?${name}\\)? = (?:ANY \\(ARRAY\\[)?'([^']+)'`);
    const allowed = checks.map(({ definition }) => first.exec(definition.replaceAll('"', ''))?.[1]);
    return allowed.find(Boolean) ?? blankOf(type);
  });
  await db.superuser(
    `insert into "${table}" (${columns.map(({ name }) => `"${name}"`).join(', ')})
     values (${columns.map((_, index) => `$${index + 1}`).join(', ')}) on conflict do nothing`,
    values,
  );
}

function blankOf(type: string): unknown {
  if (type === 'uuid') return newId();
  if (type === 'jsonb') return '{}';
  if (type.startsWith('timestamp')) return new Date();
  if (/int|numeric|real|double/.test(type)) return 1;
  if (type === 'boolean') return false;
  if (type === 'bytea') return Buffer.from('x');
  return 'x';
}
