// `npm run migrate`: brings the tables up to date. Given DATABASE_SUPERUSER_URL it makes the database and its two roles
// first, with the passwords that stand in their URLs; without it they have to be there.
import { z } from 'zod';
import { ConfigurationProblem, readConfiguration } from '#domain/configuration.ts';
import { migrate } from '#domain/database/migrate.ts';
import { StartProblem, say, step } from './house/progress.ts';
import { APP_ROLE, OWNER_ROLE, provisionDatabase } from './house/provision.ts';

const settings = z.object({
  DATABASE_OWNER_URL: z.url('is required: postgres://relais_owner:…@host/database, the role that owns the tables'),
  DATABASE_SUPERUSER_URL: z.url('must look like postgres://superuser:…@host/postgres').optional(),
  /** The application's role is made with the password of this URL. */
  DATABASE_URL: z.url('must look like postgres://relais_app:…@host/database').optional(),
});

async function main(): Promise<void> {
  const config = readConfiguration(settings, process.env);
  if (config.DATABASE_SUPERUSER_URL) {
    const provision = provisionFrom(config.DATABASE_SUPERUSER_URL, config.DATABASE_OWNER_URL, config.DATABASE_URL);
    await step('Making the database and its roles', () => provisionDatabase(provision));
  }
  const applied = await step('Bringing the tables up to date', () => migrate(config.DATABASE_OWNER_URL));
  for (const name of applied) say(`  ${name}`);
  if (applied.length === 0) say('  Nothing was left to do.');
}

function provisionFrom(superuserUrl: string, ownerUrl: string, appUrl: string | undefined) {
  if (!appUrl) {
    throw new StartProblem("DATABASE_SUPERUSER_URL makes the application's role too: set DATABASE_URL beside it.");
  }
  const owner = loginOf('DATABASE_OWNER_URL', ownerUrl, OWNER_ROLE);
  const app = loginOf('DATABASE_URL', appUrl, APP_ROLE);
  if (owner.database !== app.database) {
    throw new StartProblem('DATABASE_URL and DATABASE_OWNER_URL name two databases: give both the same one.');
  }
  return {
    superuserUrl: (database: string) => Object.assign(new URL(superuserUrl), { pathname: `/${database}` }).href,
    database: owner.database,
    ownerPassword: owner.password,
    appPassword: app.password,
  };
}

function loginOf(variable: string, url: string, role: string): { database: string; password: string } {
  const { username, password, pathname } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  if (decodeURIComponent(username) !== role || !password || !database) {
    throw new StartProblem(`${variable} must name the role ${role}, its password and a database.`);
  }
  return { database, password: decodeURIComponent(password) };
}

main().catch((error) => {
  console.error(error instanceof ConfigurationProblem || error instanceof StartProblem ? error.message : error);
  process.exitCode = 1;
});
