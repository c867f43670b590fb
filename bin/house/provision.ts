// The database and its two roles: the owner of the tables, who migrates, and the application's, who owns nothing and is
// held by row-level security.
import pg from 'pg';

export type Provision = {
  superuserUrl: (database: string) => string;
  database: string;
  ownerPassword: string;
  appPassword: string;
};

export const OWNER_ROLE = 'relais_owner';
export const APP_ROLE = 'relais_app';

export async function provisionDatabase(provision: Provision): Promise<void> {
  const client = new pg.Client({ connectionString: provision.superuserUrl('postgres') });
  await client.connect();
  try {
    await ensureRole(client, OWNER_ROLE, provision.ownerPassword);
    await ensureRole(client, APP_ROLE, provision.appPassword);
    const { rows } = await client.query('select 1 from pg_database where datname = $1', [provision.database]);
    if (rows.length === 0) {
      await client.query(`create database ${client.escapeIdentifier(provision.database)} owner ${OWNER_ROLE}`);
    }
  } finally {
    await client.end();
  }
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rows } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
  const verb = rows.length === 0 ? 'create' : 'alter';
  await client.query(`${verb} role ${role} login nosuperuser nobypassrls password ${client.escapeLiteral(password)}`);
}
