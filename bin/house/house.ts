// A whole Relais on one machine: PostgreSQL, Temporal, workers, API and screens, started in the order they need each
// other and stopped in reverse. What the environment names (DATABASE_URL, TEMPORAL_ADDRESS) is used instead of our own.
import path from 'node:path';
import { migrate } from '#domain/database/migrate.ts';
import { BUILD_FOLDER, buildWhatChanged, UI_BUILD, WORKFLOW_BUNDLE } from './build.ts';
import { type HouseSecrets, houseSecrets, openHome, PROJECT_ROOT } from './home.ts';
import { ManagedProcess } from './managed-process.ts';
import { needPort } from './ports.ts';
import { preparePostgres } from './postgres.ts';
import { StartProblem, say, step } from './progress.ts';
import { APP_ROLE, OWNER_ROLE, provisionDatabase } from './provision.ts';
import { findTemporal, prepareTemporal } from './temporal.ts';

export const DATABASE = 'relais';
export const POSTGRES_PORT = 25_433;

export class House {
  readonly home = openHome();
  readonly secrets = houseSecrets(this.home);
  readonly env: NodeJS.ProcessEnv;
  readonly #running: ManagedProcess[] = [];
  temporalUiUrl: string | null;

  /** @param extra settings beside those of the environment */
  constructor(extra: NodeJS.ProcessEnv = {}) {
    this.env = { ...process.env, ...extra };
    Object.assign(this.env, settingsFrom(this.home, this.secrets, this.env));
    this.temporalUiUrl = this.env.TEMPORAL_UI_URL ?? null;
  }

  get url(): string {
    return this.env.APP_URL!;
  }

  /** Works while there is no account. */
  get welcomeUrl(): string {
    return `${this.url}/welcome?token=${this.env.SETUP_TOKEN}`;
  }

  /** @throws StartProblem with a sentence for the person at the terminal; what had started is stopped again */
  async open(): Promise<void> {
    try {
      await buildWhatChanged();
      if (!this.env.DATABASE_URL) await this.#startPostgres();
      await step('Bringing the tables up to date', () => migrate(ownerUrl(this.env)));
      if (!this.env.TEMPORAL_ADDRESS) await this.#startTemporal();
      // Two, so that when one dies the other goes on with its runs within a second or two.
      await Promise.all(['workers-1', 'workers-2'].map((name) => this.#startNode(name, 'workers/main.ts')));
      await this.#startNode('api', 'api/main.ts', () =>
        needPort(Number(this.env.PORT), 'the screens', 'PORT', this.env.HOST),
      );
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** In reverse order; may be called while it is still opening. */
  async close(): Promise<void> {
    for (const one of this.#running.reverse()) await one.stop();
  }

  async #startPostgres(): Promise<void> {
    const port = Number(this.env.POSTGRES_PORT ?? POSTGRES_PORT);
    const password = this.secrets.superuserPassword;
    const postgres = await step('Preparing PostgreSQL', () => preparePostgres({ home: this.home, port, password }));
    if (postgres.movedTo) say(`  Its files lie in ${postgres.movedTo}: its own user could not enter ${this.home}.`);
    await this.#start(postgres.process, () => needPort(port, 'PostgreSQL', 'POSTGRES_PORT'));
    const { ownerPassword, appPassword } = this.secrets;
    await provisionDatabase({
      superuserUrl: (database) => postgres.url(database),
      database: DATABASE,
      ownerPassword,
      appPassword,
    });
    this.env.DATABASE_URL = postgres.url(DATABASE, APP_ROLE, appPassword);
    this.env.DATABASE_OWNER_URL = postgres.url(DATABASE, OWNER_ROLE, ownerPassword);
  }

  async #startTemporal(): Promise<void> {
    const program = await findTemporal();
    const port = Number(this.env.TEMPORAL_PORT ?? 7233);
    const uiPort = Number(this.env.TEMPORAL_UI_PORT ?? 8233);
    await this.#start(prepareTemporal({ program, home: this.home, port, uiPort }), async () => {
      await needPort(port, 'Temporal (a server of your own goes into TEMPORAL_ADDRESS)', 'TEMPORAL_PORT');
      await needPort(uiPort, "Temporal's web UI", 'TEMPORAL_UI_PORT');
    });
    this.env.TEMPORAL_ADDRESS = `127.0.0.1:${port}`;
    this.temporalUiUrl = `http://127.0.0.1:${uiPort}`;
    this.env.TEMPORAL_UI_URL = this.temporalUiUrl;
  }

  async #startNode(name: string, script: string, checkPorts = async () => {}): Promise<void> {
    const child = new ManagedProcess(
      {
        name,
        command: process.execPath,
        arguments: [path.join(PROJECT_ROOT, script), name],
        env: this.env,
        ready: 'message',
        readyWithinMs: 60_000,
        stopWithinMs: 30_000,
        explain: (log) =>
          /ENOSPC|No space left/.test(log) ? 'The disk is full: free some space and start again.' : null,
      },
      this.home,
    );
    await this.#start(child, checkPorts);
  }

  async #start(one: ManagedProcess, checkPorts: () => Promise<void>): Promise<void> {
    await one.stopLeftover();
    await checkPorts();
    this.#running.push(one);
    await step(`Starting ${one.name}`, () => one.start());
  }
}

function settingsFrom(home: string, secrets: HouseSecrets, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const port = env.PORT ?? '3000';
  const host = env.HOST ?? '127.0.0.1';
  return {
    NODE_ENV: env.NODE_ENV ?? 'production',
    PORT: port,
    HOST: host,
    APP_URL: env.APP_URL ?? `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`,
    AUTH_SECRET: env.AUTH_SECRET ?? secrets.authSecret,
    ENCRYPTION_KEY: env.ENCRYPTION_KEY ?? secrets.encryptionKey,
    ENCRYPTION_KEYS_PREVIOUS: env.ENCRYPTION_KEYS_PREVIOUS ?? secrets.encryptionKeysPrevious.join(','),
    SETUP_TOKEN: env.SETUP_TOKEN ?? secrets.setupToken,
    STORAGE_PATH: env.STORAGE_PATH ?? path.join(home, 'files'),
    UI_BUILD,
    WORKFLOW_BUNDLE,
    // Halves the time a worker or the API needs to start again.
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? path.join(BUILD_FOLDER, 'compile-cache'),
  };
}

function ownerUrl(env: NodeJS.ProcessEnv): string {
  if (env.DATABASE_OWNER_URL) return env.DATABASE_OWNER_URL;
  throw new StartProblem(
    'DATABASE_URL names the role of the application, which cannot migrate: set DATABASE_OWNER_URL to the role that owns the tables as well.',
  );
}
