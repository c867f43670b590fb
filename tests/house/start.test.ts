// `npm start` as its user meets it: it opens, survives being killed, closes in good order and says what is in its way.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { PROJECT_ROOT } from '../../bin/house/home.ts';
import { commandLineOf } from '../../bin/house/managed-process.ts';
import { freePort } from '../../bin/house/ports.ts';
import { until } from '../support/until.ts';

const OPENS_WITHIN_MS = 120_000;

let home: string;
let ports: Record<'PORT' | 'POSTGRES_PORT' | 'TEMPORAL_PORT' | 'TEMPORAL_UI_PORT', string>;
let running: ChildProcess | null = null;

beforeAll(async () => {
  home = mkdtempSync(path.join(os.tmpdir(), 'relais-home-'));
  const [api, postgres, temporal, ui] = [await freePort(), await freePort(), await freePort(), await freePort()];
  ports = {
    PORT: String(api),
    POSTGRES_PORT: String(postgres),
    TEMPORAL_PORT: String(temporal),
    TEMPORAL_UI_PORT: String(ui),
  };
});

afterEach(async () => {
  if (running) await stop(running, 'SIGTERM');
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

type House = { child: ChildProcess; said: () => string };

function start(settings: NodeJS.ProcessEnv = {}): House {
  let said = '';
  const child = spawn(process.execPath, [path.join(PROJECT_ROOT, 'bin', 'start.ts')], {
    env: { ...process.env, NODE_OPTIONS: '', RELAIS_HOME: home, ...ports, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  running = child;
  return { child, said: () => said };
}

async function opened({ child, said }: House): Promise<void> {
  await until(
    'the house is open',
    () => {
      if (child.exitCode !== null) throw new Error(`It ended instead: ${said()}`);
      return said().includes('Relais is open') && said().includes('First visit');
    },
    OPENS_WITHIN_MS,
  );
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
  running = null;
  return child.exitCode;
}

/** What still runs of this house, by its folder or by its pid files. */
function leftRunning(): string[] {
  const pids = readdirSync(path.join(home, 'run')).map((file) => readFileSync(path.join(home, 'run', file), 'utf8'));
  return pids.map((pid) => commandLineOf(Number(pid))).filter(Boolean);
}

const isReady = async () => (await fetch(`http://127.0.0.1:${ports.PORT}/readyz`)).status;

describe('a house', () => {
  test(
    'opens with its addresses and a first-visit link, and closes leaving nothing behind',
    async () => {
      const house = start();
      await opened(house);
      expect(house.said()).toContain(`http://127.0.0.1:${ports.PORT}`);
      expect(house.said()).toContain(`http://127.0.0.1:${ports.TEMPORAL_UI_PORT}`);
      expect(house.said()).toMatch(/welcome\?token=\S{20,}/);
      expect(await isReady()).toBe(200);
      expect(leftRunning()).toHaveLength(5);
      expect(await stop(house.child, 'SIGTERM')).toBe(0);
      expect(house.said()).toContain('Closed.');
      expect(leftRunning()).toEqual([]);
    },
    2 * OPENS_WITHIN_MS,
  );

  test(
    'that was killed with everything in it opens again by itself',
    async () => {
      const first = start();
      await opened(first);
      const killed = readdirSync(path.join(home, 'run')).map((file) =>
        Number(readFileSync(path.join(home, 'run', file), 'utf8')),
      );
      await stop(first.child, 'SIGKILL');
      // The servers that do not notice are killed as well: what is left is what a cut of the power leaves.
      for (const pid of killed) if (commandLineOf(pid)) process.kill(pid, 'SIGKILL');
      const second = start();
      await opened(second);
      expect(await isReady()).toBe(200);
      await stop(second.child, 'SIGINT');
      expect(leftRunning()).toEqual([]);
    },
    2 * OPENS_WITHIN_MS,
  );

  test(
    'whose supervisor alone was killed takes over what it left running',
    async () => {
      const first = start();
      await opened(first);
      await stop(first.child, 'SIGKILL');
      const second = start();
      await opened(second);
      expect(await isReady()).toBe(200);
    },
    2 * OPENS_WITHIN_MS,
  );
});

describe('a house that cannot open', () => {
  const lastSentence = (said: string) => said.trim().split('\n').at(-1);

  test(
    'says which port is taken and which variable moves it',
    async () => {
      const guest = createServer().listen(Number(ports.POSTGRES_PORT), '127.0.0.1');
      await new Promise((resolve) => guest.once('listening', resolve));
      const house = start();
      await until('it has given up', () => house.child.exitCode !== null, OPENS_WITHIN_MS);
      await new Promise((resolve) => guest.close(resolve));
      expect(house.child.exitCode).toBe(1);
      expect(lastSentence(house.said())).toBe(
        `Port ${ports.POSTGRES_PORT} for PostgreSQL is used by another program: stop that program, or start with POSTGRES_PORT=<another port>.`,
      );
      expect(house.said()).not.toContain('    at ');
    },
    OPENS_WITHIN_MS,
  );

  test(
    'says how to get a Temporal server when there is none',
    async () => {
      const empty = mkdtempSync(path.join(os.tmpdir(), 'relais-empty-'));
      // What makes a user and asks for one's number is on PATH too: only these are left of it.
      for (const program of ['id', 'useradd'])
        symlinkSync(`/usr/${program === 'id' ? '' : 's'}bin/${program}`, path.join(empty, program));
      const house = start({
        PATH: empty,
        XDG_CACHE_HOME: empty,
        // The SDK's download is refused at once.
        HTTPS_PROXY: 'http://127.0.0.1:9',
        HTTP_PROXY: 'http://127.0.0.1:9',
      });
      await until('it has given up', () => house.child.exitCode !== null, OPENS_WITHIN_MS);
      rmSync(empty, { recursive: true, force: true });
      expect(house.child.exitCode).toBe(1);
      expect(lastSentence(house.said())).toContain('There is no Temporal server here: install the Temporal CLI');
      expect(leftRunning()).toEqual([]);
    },
    OPENS_WITHIN_MS,
  );

  test('says which role is missing beside DATABASE_URL', async () => {
    const house = start({ DATABASE_URL: 'postgres://relais_app:x@127.0.0.1:1/relais' });
    await until('it has given up', () => house.child.exitCode !== null, OPENS_WITHIN_MS);
    expect(lastSentence(house.said())).toContain('set DATABASE_OWNER_URL');
    expect(existsSync(path.join(home, 'run'))).toBe(true);
  });
});
