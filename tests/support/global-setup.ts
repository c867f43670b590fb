// Once for a run of tests: a PostgreSQL that forgets, a migrated database to clone from, and the workflow bundle.
import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { migrate } from '#domain/database/migrate.ts';
import { buildWhatChanged, WORKFLOW_BUNDLE } from '../../bin/house/build.ts';
import { needDebianPackage } from '../../bin/house/debian-tools.ts';
import { freePort } from '../../bin/house/ports.ts';
import { preparePostgres } from '../../bin/house/postgres.ts';
import { APP_ROLE, OWNER_ROLE, provisionDatabase } from '../../bin/house/provision.ts';
import { findTemporal } from '../../bin/house/temporal.ts';

const PASSWORD = 'test';
export const TEMPLATE = 'template_relais';

export default async function setUp(): Promise<void> {
  const dovecot = await needDebianPackage('/usr/sbin/dovecot', 'dovecot-imapd');
  const home = mkdtempSync(path.join(os.tmpdir(), 'relais-tests-'));
  // PostgreSQL's own user has to get in.
  chmodSync(home, 0o755);
  for (const folder of ['logs', 'run']) mkdirSync(path.join(home, folder));
  const port = await freePort();
  const postgres = await preparePostgres({ home, port, password: PASSWORD, forgetful: true });
  await postgres.process.start();
  await provisionDatabase({
    superuserUrl: (database) => postgres.url(database),
    database: TEMPLATE,
    ownerPassword: PASSWORD,
    appPassword: PASSWORD,
  });
  await migrate(postgres.url(TEMPLATE, OWNER_ROLE, PASSWORD));
  await buildWhatChanged(['workflows']);
  Object.assign(process.env, {
    TEST_HOME: home,
    TEST_POSTGRES: postgres.url('postgres'),
    TEST_OWNER: postgres.url('DATABASE', OWNER_ROLE, PASSWORD),
    TEST_APP: postgres.url('DATABASE', APP_ROLE, PASSWORD),
    TEST_TEMPORAL: await findTemporal(),
    TEST_DOVECOT: dovecot,
    TEST_BUNDLE: WORKFLOW_BUNDLE,
  });
  (globalThis as { stopTestServices?: () => Promise<void> }).stopTestServices = async () => {
    await postgres.process.stop();
  };
}
