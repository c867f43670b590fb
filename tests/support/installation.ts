// A whole installation of processes of their own, as `npm start` runs it, for tests that kill them. Each is started
// again when it dies; the test stands outside with the ledger of what it sent and the mail server that counts.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import pg from 'pg';
import { type ApiClient, createClient, RefusedByApi } from '#api/contract/client.ts';
import { contract, type RelaisContract } from '#api/contract/contract.ts';
import { migrate } from '#domain/database/migrate.ts';
import { signWebhook } from '#domain/integrations/webhook-signature.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { buildWhatChanged, UI_BUILD } from '../../bin/house/build.ts';
import { PROJECT_ROOT } from '../../bin/house/home.ts';
import { ManagedProcess } from '../../bin/house/managed-process.ts';
import { freePort } from '../../bin/house/ports.ts';
import { type LocalPostgres, preparePostgres } from '../../bin/house/postgres.ts';
import { APP_ROLE, OWNER_ROLE, provisionDatabase } from '../../bin/house/provision.ts';
import { prepareTemporal } from '../../bin/house/temporal.ts';
import { MailSink } from './mail-sink.ts';
import { PASSWORD, TEST_KEY } from './road.ts';
import { until } from './until.ts';

const SECRET = 'test';
export const OWNER = 'owner@acme.test';
const SETUP_TOKEN = 'first-visit-of-a-test';

export type InstallationOptions = {
  workers?: number;
  /** With the built screens, for a browser. */
  screens?: boolean;
  env?: NodeJS.ProcessEnv;
};

export class Installation {
  readonly home: string;
  readonly sink: MailSink;
  readonly postgres: LocalPostgres;
  readonly temporal: ManagedProcess;
  readonly workers: ManagedProcess[];
  readonly api: ManagedProcess;
  readonly url: string;
  readonly ownerUrl: string;
  readonly temporalAddress: string;
  #cookie = '';

  private constructor(
    parts: Pick<
      Installation,
      'home' | 'sink' | 'postgres' | 'temporal' | 'workers' | 'api' | 'url' | 'ownerUrl' | 'temporalAddress'
    >,
  ) {
    this.home = parts.home;
    this.sink = parts.sink;
    this.postgres = parts.postgres;
    this.temporal = parts.temporal;
    this.workers = parts.workers;
    this.api = parts.api;
    this.url = parts.url;
    this.ownerUrl = parts.ownerUrl;
    this.temporalAddress = parts.temporalAddress;
  }

  static async open(options: InstallationOptions = {}): Promise<Installation> {
    const { workers: workerCount = 1, screens = false, env: extraEnv = {} } = options;
    if (screens) await buildWhatChanged(['ui']);
    const home = path.join(process.env.TEST_HOME!, `installation-${newId().slice(-8)}`);
    for (const folder of ['logs', 'run', 'files']) mkdirSync(path.join(home, folder), { recursive: true });
    const [postgresPort, temporalPort, port] = [await freePort(), await freePort(), await freePort()];
    const sink = await MailSink.open();
    const postgres = await preparePostgres({
      home,
      port: postgresPort,
      password: SECRET,
      // A killed process must find what it committed; a cut of the power is no part of these tests.
      settings: { fsync: 'off', synchronous_commit: 'on' },
    });
    await postgres.process.start();
    await provisionDatabase({
      superuserUrl: (name) => postgres.url(name),
      database: 'relais',
      ownerPassword: SECRET,
      appPassword: SECRET,
    });
    const ownerUrl = postgres.url('relais', OWNER_ROLE, SECRET);
    await migrate(ownerUrl);
    const uiPort = screens ? await freePort() : null;
    const temporal = prepareTemporal({ program: process.env.TEST_TEMPORAL!, home, port: temporalPort, uiPort });
    await temporal.start();
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      NODE_OPTIONS: '',
      DATABASE_URL: postgres.url('relais', APP_ROLE, SECRET),
      TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
      TEMPORAL_UI_URL: uiPort === null ? '' : `http://127.0.0.1:${uiPort}`,
      ENCRYPTION_KEY: TEST_KEY,
      AUTH_SECRET: 'a1b2c3d4-E5F6-test-only-0123456789-xyz',
      SETUP_TOKEN,
      STORAGE_PATH: path.join(home, 'files'),
      WORKFLOW_BUNDLE: process.env.TEST_BUNDLE,
      UI_BUILD: screens ? UI_BUILD : '',
      SMTP_URL: sink.url,
      MAIL_FROM: 'relais@inbox.test',
      PORT: String(port),
      UNDO_SECONDS: '0',
      QUIET_MS: '300',
      SMTP_TIMEOUT_MS: '15000',
      LOG_LEVEL: 'warn',
      NODE_COMPILE_CACHE: path.join(PROJECT_ROOT, 'build', 'compile-cache'),
      ...extraEnv,
    };
    const node = (name: string, script: string) =>
      new ManagedProcess(
        {
          name,
          command: process.execPath,
          arguments: [path.join(PROJECT_ROOT, script), name],
          env: { ...env },
          ready: 'message',
          readyWithinMs: 60_000,
        },
        home,
      );
    const workers = Array.from({ length: workerCount }, (_, index) => node(`workers-${index + 1}`, 'workers/main.ts'));
    const api = node('api', 'api/main.ts');
    await Promise.all([...workers, api].map((one) => one.start()));
    const url = `http://127.0.0.1:${port}`;
    const temporalAddress = env.TEMPORAL_ADDRESS!;
    return new Installation({ home, sink, postgres, temporal, workers, api, url, ownerUrl, temporalAddress });
  }

  async close(): Promise<void> {
    await this.api.stop();
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.temporal.stop();
    await this.postgres.process.stop();
    await this.sink.close();
  }

  /** Everything is stopped in good order and started again, as by an operator: data, ports and settings stay. */
  async restart(): Promise<void> {
    const inOrder = [this.postgres.process, this.temporal, ...this.workers, this.api];
    for (const one of inOrder.toReversed()) await one.stop();
    for (const one of inOrder) await one.restart();
  }

  /** The page that `npm start` prints at the first start. */
  get welcomeUrl(): string {
    return `${this.url}/welcome?token=${SETUP_TOKEN}`;
  }

  /** Follow-ups and deadlines come due at any hour of any day. */
  async neverClose(): Promise<void> {
    await this.ask(`update tenant set business_hours = jsonb_build_object('timeZone', 'UTC', 'holidays', '[]'::jsonb,
      'days', (select jsonb_object_agg(day, '[{"from": "00:00", "to": "24:00"}]'::jsonb) from generate_series(1, 7) as day))`);
  }

  /** How a run stands in Temporal; null when Temporal knows no such run. */
  async runStatus(workflowId: string): Promise<string | null> {
    const connection = await Connection.connect({ address: this.temporalAddress });
    try {
      const { status } = await new Client({ connection }).workflow.getHandle(workflowId).describe();
      return status.name;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    } finally {
      await connection.close();
    }
  }

  /** The first company and its owner, signed in. */
  async welcome(): Promise<ApiClient<RelaisContract>> {
    const email = OWNER;
    const api = this.client();
    await api.welcome({
      body: { token: SETUP_TOKEN, company: 'Acme', name: 'Owner', email, password: PASSWORD },
    });
    const answer = await fetch(`${this.url}/inbox/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.url },
      body: JSON.stringify({ email, password: PASSWORD }),
    });
    this.#cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    return api;
  }

  /** As the owner's browser sends it. */
  get cookie(): string {
    return this.#cookie;
  }

  client(): ApiClient<RelaisContract> {
    return createClient(contract, { baseUrl: this.url, headers: () => ({ cookie: this.#cookie, origin: this.url }) });
  }

  /** Arms a fault point in one process; the returned function waits until it has died or stopped there, and says when. */
  async arm(
    target: ManagedProcess,
    point: string,
    hit = 1,
    signal: 'SIGKILL' | 'SIGSTOP' = 'SIGKILL',
  ): Promise<() => Promise<Date>> {
    const log = path.join(this.home, `fault-${newId().slice(-8)}`);
    rmSync(log, { force: true });
    try {
      await target.restart({ RELAIS_FAULT_POINT: `${point}:${hit}:${signal}`, RELAIS_FAULT_LOG: log });
    } catch (error) {
      // What was left from before may have brought it there while it was still starting.
      if (!existsSync(log)) throw error;
      await target.restart();
    }
    return async () => {
      await until(`${target.name} has come to ${point}`, () => existsSync(log), 30_000);
      // Not the time of the file, whose clock is coarser.
      return new Date(Number(readFileSync(log, 'utf8').split(' ')[1]));
    };
  }

  /** A question to the tables with the owner's eyes, or to the server with the superuser's. */
  async ask<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = [], url = this.ownerUrl): Promise<Row[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Sends as a careful sender does: the same idempotency key until it is accepted. */
  async deliver(webhook: { id: string; secret: string }, message: Record<string, unknown>, key: string): Promise<void> {
    const body = JSON.stringify(message);
    await until(
      `${key} is accepted`,
      async () => {
        const answer = await fetch(`${this.url}/inbox/webhooks/custom/${webhook.id}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'idempotency-key': key,
            'relais-signature': signWebhook(webhook.secret, body, Math.floor(Date.now() / 1000)),
          },
          body,
        }).catch(() => null);
        if (answer && answer.status >= 400 && answer.status < 500) throw new Error(await answer.text());
        return answer?.status === 202;
      },
      60_000,
    );
  }
}

/** Calls again while the other side is down; a refusal is an answer. */
export async function persistently<Result>(call: () => Promise<Result>): Promise<Result> {
  const { value } = await until(
    'the API answers',
    async () => {
      try {
        return { value: await call() };
      } catch (error) {
        if (error instanceof RefusedByApi && error.problem.status < 500) throw error;
        return null;
      }
    },
    60_000,
  );
  return value;
}
