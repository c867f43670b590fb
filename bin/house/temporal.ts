// The Temporal server of a local installation: the CLI's development server with its web UI, its database in a file.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { SEARCH_ATTRIBUTES } from '#workflows/contract.ts';
import { ManagedProcess } from './managed-process.ts';
import { StartProblem, say, step } from './progress.ts';

const CLI_MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const DOWNLOAD_WITHIN_MS = 60_000;

/** Tools that were downloaded or built outlive the clone. */
export function cacheFolder(): string {
  return path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'relais');
}

/**
 * Finds the program `temporal`: on PATH, in the cache, by the SDK's own download, or built from its source.
 * @throws StartProblem saying what to install when none of these works
 */
export async function findTemporal(): Promise<string> {
  const onPath = which('temporal');
  if (onPath) return onPath;
  const cached = path.join(cacheFolder(), 'bin', 'temporal');
  if (existsSync(cached)) return cached;
  const downloaded = await downloadBySdk().catch(() => null);
  if (downloaded) return downloaded;
  if (which('go')) {
    await step('Building the Temporal server from its source (about three minutes, once)', () => buildFromSource());
    if (existsSync(cached)) return cached;
  }
  throw new StartProblem(
    'There is no Temporal server here: install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH, install Go so that it can be built, or set TEMPORAL_ADDRESS to a server of yours.',
  );
}

export type TemporalOptions = {
  program: string;
  home: string;
  port: number;
  /** null leaves the web UI out. */
  uiPort: number | null;
  /** Only for tests: nothing is kept. */
  inMemory?: boolean;
};

export function prepareTemporal(options: TemporalOptions): ManagedProcess {
  const file = path.join(options.home, 'temporal.db');
  return new ManagedProcess(
    {
      name: 'temporal',
      command: options.program,
      arguments: [
        ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port)],
        ...(options.uiPort === null ? ['--headless'] : ['--ui-port', String(options.uiPort)]),
        ...Object.keys(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
        // Each tenant's backlog takes its turn.
        ...['--dynamic-config-value', 'matching.enableFairness=true'],
        ...['--log-level', 'warn'],
        // Without these two a run of several steps takes three times as long.
        ...(options.inMemory
          ? []
          : ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL', '--db-filename', file]),
      ],
      ready: () => accepts(options.port),
      readyWithinMs: 60_000,
      explain: (log) =>
        /address already in use/.test(log)
          ? 'The port of Temporal is used by another program: start with TEMPORAL_PORT=<another port>.'
          : /no space left|disk is full/i.test(log)
            ? 'The disk is full: Temporal could not write its file. Free some space and start again.'
            : null,
    },
    options.home,
  );
}

function which(program: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const candidate = path.join(folder, program);
    if (folder && existsSync(candidate)) return candidate;
  }
  return null;
}

/** The SDK fetches the CLI for its tests; the file it leaves in the cache is the program we want. */
async function downloadBySdk(): Promise<string | null> {
  const folder = path.join(cacheFolder(), 'downloads');
  mkdirSync(folder, { recursive: true });
  const found = () =>
    readdirSync(folder).find((name) => name.startsWith('temporal-') && !name.endsWith('.downloading'));
  if (!found()) {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    await step('Downloading the Temporal server', async () => {
      const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error('no answer')), DOWNLOAD_WITHIN_MS).unref();
      });
      const started = TestWorkflowEnvironment.createLocal({
        server: { executable: { type: 'cached-download', downloadDir: folder } },
      });
      await (await Promise.race([started, late])).teardown();
    });
  }
  const name = found();
  return name ? path.join(folder, name) : null;
}

function buildFromSource(): Promise<void> {
  const target = path.join(cacheFolder(), 'bin');
  mkdirSync(target, { recursive: true });
  say(`  go install ${CLI_MODULE}`);
  return new Promise((resolve, reject) => {
    const go = spawn('go', ['install', CLI_MODULE], {
      env: { ...process.env, GOBIN: target },
      cwd: os.tmpdir(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    go.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-2_000);
    });
    go.once('error', reject);
    go.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new StartProblem(`The Temporal server could not be built: ${said.trim()}`));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
