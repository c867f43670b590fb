// An installation to measure, in a temporary home and on free ports: PostgreSQL and Temporal with the settings of
// `npm start`, so with fsync on and Temporal's database in a file, and the product's own processes.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import pg from 'pg';
import { migrate } from '#domain/database/migrate.ts';
import { Database } from '#domain/database/orm.ts';
import { TASK_QUEUES } from '#workflows/contract.ts';
import { BUILD_FOLDER } from '../bin/house/build.ts';
import { houseSecrets, PROJECT_ROOT } from '../bin/house/home.ts';
import { ManagedProcess, type ProcessSpec } from '../bin/house/managed-process.ts';
import { freePort } from '../bin/house/ports.ts';
import { preparePostgres } from '../bin/house/postgres.ts';
import { APP_ROLE, OWNER_ROLE, provisionDatabase } from '../bin/house/provision.ts';
import { findTemporal, prepareTemporal } from '../bin/house/temporal.ts';
import { type BenchCompany, makeCompany } from './company.ts';

/** Two, as `npm start` runs them. */
const WORKERS = ['workers-1', 'workers-2'];
const DATABASE = 'relais';
/** What the product has by default, for the API and for the bare door beside it. */
const POOL_SIZE = 10;

export class BenchHouse {
  readonly home = mkdtempSync(path.join(os.tmpdir(), 'relais-bench-'));
  readonly #secrets = houseSecrets(this.home);
  readonly #places = [this.home];
  readonly #running: ManagedProcess[] = [];
  readonly #connections: (() => Promise<unknown>)[] = [];
  #closing: Promise<void> | null = null;
  env: NodeJS.ProcessEnv = {};
  database!: Database;
  /** With the eyes of the tables' owner, past row security: to count and to look. */
  owner!: pg.Client;
  temporal!: Client;
  company!: BenchCompany;

  async open(): Promise<void> {
    // PostgreSQL's own user has to get in.
    chmodSync(this.home, 0o755);
    for (const folder of ['logs', 'run', 'files']) mkdirSync(path.join(this.home, folder));
    this.env = await this.#settings();
    await this.#openPostgres();
    await this.#openTemporal();
    await bundleWorkflows(this.env.WORKFLOW_BUNDLE!);
    await this.startNode('api', 'api/main.ts');
    this.company = await makeCompany(this.env.APP_URL!, this.env.SETUP_TOKEN!);
  }

  async startWorkers(): Promise<void> {
    const preload = ['--import', path.join(PROJECT_ROOT, 'bench', 'with-nothing.ts')];
    await Promise.all(WORKERS.map((name) => this.startNode(name, 'workers/main.ts', preload)));
  }

  /** One that reads mailboxes and nothing else, and one for all the rest: what each takes can be told apart. */
  async startWorkersByQueue(): Promise<void> {
    const { mailboxes, ...others } = TASK_QUEUES;
    const start = (name: string, queues: string[]) =>
      this.startNode(name, 'workers/main.ts', [], { WORKER_QUEUES: queues.join(',') });
    await Promise.all([start(mailboxes, [mailboxes]), start('rest', Object.values(others))]);
  }

  /** Of a process that was started under this name. */
  pidOf(name: string): number {
    return Number(readFileSync(path.join(this.home, 'run', `${name}.pid`), 'utf8'));
  }

  /** What the relay has not carried to Temporal yet stays where it is. */
  async stopWorkers(): Promise<void> {
    await Promise.all(this.#running.filter((one) => WORKERS.includes(one.name)).map((one) => one.stop()));
  }

  /** Starts a script of the project that says `ready`, with the settings of this installation. */
  async startNode(name: string, script: string, preload: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.#start({
      name,
      command: process.execPath,
      arguments: [...preload, path.join(PROJECT_ROOT, script), name],
      env: { ...process.env, ...this.env, ...env },
      ready: 'message',
      readyWithinMs: 60_000,
    });
  }

  /** Stops everything in reverse order and removes the home; may be called while it is still opening. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #settings(): Promise<NodeJS.ProcessEnv> {
    const [postgres, temporal, port] = [await freePort(), await freePort(), await freePort()];
    return {
      NODE_ENV: 'production',
      NODE_COMPILE_CACHE: path.join(BUILD_FOLDER, 'compile-cache'),
      POSTGRES_PORT: String(postgres),
      DATABASE_POOL_SIZE: String(POOL_SIZE),
      // One sender here is faster than any is meant to be; its calls are counted all the same.
      WEBHOOK_CALLS_PER_MINUTE: '10000000',
      TEMPORAL_ADDRESS: `127.0.0.1:${temporal}`,
      PORT: String(port),
      APP_URL: `http://127.0.0.1:${port}`,
      AUTH_SECRET: this.#secrets.authSecret,
      ENCRYPTION_KEY: this.#secrets.encryptionKey,
      SETUP_TOKEN: this.#secrets.setupToken,
      STORAGE_PATH: path.join(this.home, 'files'),
      WORKFLOW_BUNDLE: path.join(this.home, 'workflows.js'),
    };
  }

  async #openPostgres(): Promise<void> {
    const { superuserPassword, ownerPassword, appPassword } = this.#secrets;
    const port = Number(this.env.POSTGRES_PORT);
    const postgres = await preparePostgres({ home: this.home, port, password: superuserPassword });
    if (postgres.movedTo) this.#places.push(postgres.movedTo);
    await this.#started(postgres.process);
    const superuserUrl = (database: string) => postgres.url(database);
    await provisionDatabase({ superuserUrl, database: DATABASE, ownerPassword, appPassword });
    const ownerUrl = postgres.url(DATABASE, OWNER_ROLE, ownerPassword);
    await migrate(ownerUrl);
    this.env.DATABASE_URL = postgres.url(DATABASE, APP_ROLE, appPassword);
    this.database = await Database.open({ url: this.env.DATABASE_URL });
    this.owner = new pg.Client({ connectionString: ownerUrl });
    // A server that dies fails the next question, and the house is closed; unheard, it would end us and leave the rest.
    this.owner.on('error', () => {});
    await this.owner.connect();
    this.#connections.push(
      () => this.database.close(),
      () => this.owner.end(),
    );
  }

  async #openTemporal(): Promise<void> {
    const address = this.env.TEMPORAL_ADDRESS!;
    const port = Number(address.split(':')[1]);
    await this.#started(prepareTemporal({ program: await findTemporal(), home: this.home, port, uiPort: null }));
    const connection = await Connection.connect({ address });
    this.temporal = new Client({ connection });
    this.#connections.push(() => connection.close());
  }

  async #start(spec: ProcessSpec): Promise<void> {
    await this.#started(new ManagedProcess(spec, this.home));
  }

  async #started(one: ManagedProcess): Promise<void> {
    if (this.#closing) throw new Error('The house is closing.');
    this.#running.push(one);
    await one.start();
  }

  async #close(): Promise<void> {
    for (const close of this.#connections.reverse()) await close().catch(() => {});
    for (const one of this.#running.reverse()) await one.stop();
    for (const place of this.#places) rmSync(place, { recursive: true, force: true });
  }
}

async function bundleWorkflows(file: string): Promise<void> {
  const workflowsPath = path.join(PROJECT_ROOT, 'bench', 'workflows.ts');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  writeFileSync(file, code);
}
