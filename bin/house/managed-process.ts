// One process of the house: started with its output in a log file, watched until it is ready, started again when it
// dies, stopped in good order. A process left over by a house that was killed is found by its pid file and stopped.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartProblem } from './progress.ts';

export type ProcessSpec = {
  name: string;
  command: string;
  arguments: string[];
  env?: NodeJS.ProcessEnv;
  /** Runs as this user; only root can ask for another one. */
  user?: { uid: number; gid: number };
  /** True once it serves. Called every 50 ms; a process with an IPC channel may instead send `ready`. */
  ready: (() => Promise<boolean>) | 'message';
  readyWithinMs: number;
  stopSignal?: NodeJS.Signals;
  stopWithinMs?: number;
  /** Turns the end of the log into a sentence that says what to do. */
  explain?: (logTail: string) => string | null;
};

const LOG_TAIL_BYTES = 4_000;
const LOG_LIMIT_BYTES = 10_000_000;
const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 5_000;
const STEADY_AFTER_MS = 30_000;

export class ManagedProcess {
  readonly name: string;
  readonly #spec: ProcessSpec;
  readonly #logFile: string;
  readonly #pidFile: string;
  #child: ChildProcess | null = null;
  #startedAt = 0;
  #spawnFailed = false;
  #stopping = false;
  #restartDelayMs = FIRST_RESTART_MS;
  #nextStart: NodeJS.Timeout | undefined;

  constructor(spec: ProcessSpec, home: string) {
    this.name = spec.name;
    this.#spec = spec;
    this.#logFile = path.join(home, 'logs', `${spec.name}.log`);
    this.#pidFile = path.join(home, 'run', `${spec.name}.pid`);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Stops and starts it again, with these settings from now on. */
  async restart(env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.stop();
    this.#stopping = false;
    this.#spec.env = { ...(this.#spec.env ?? process.env), ...env };
    await this.start();
  }

  /** Resolves when it serves. @throws StartProblem with a sentence when it does not get there */
  async start(): Promise<void> {
    await this.stopLeftover();
    this.#spawn();
    await this.#untilReady();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#nextStart);
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill(this.#spec.stopSignal ?? 'SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), this.#spec.stopWithinMs ?? 15_000);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.#pidFile, { force: true });
  }

  #spawn(): void {
    rotate(this.#logFile);
    const log = openSync(this.#logFile, 'a');
    const child = spawn(this.#spec.command, this.#spec.arguments, {
      env: this.#spec.env ?? process.env,
      stdio: this.#spec.ready === 'message' ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      // Its own process group: a Ctrl-C in the terminal must not stop the parts in any order.
      detached: true,
      ...this.#spec.user,
    });
    closeSync(log);
    this.#child = child;
    this.#startedAt = Date.now();
    if (child.pid) writeFileSync(this.#pidFile, String(child.pid));
    child.once('error', (error) => {
      this.#spawnFailed = true;
      writeFileSync(this.#logFile, `${error.message}\n`, { flag: 'a' });
    });
    child.once('exit', () => this.#restart());
  }

  #restart(): void {
    if (this.#stopping || this.#child === null) return;
    if (Date.now() - this.#startedAt > STEADY_AFTER_MS) this.#restartDelayMs = FIRST_RESTART_MS;
    this.#nextStart = setTimeout(() => !this.#stopping && this.#spawn(), this.#restartDelayMs);
    this.#restartDelayMs = Math.min(this.#restartDelayMs * 2, LAST_RESTART_MS);
  }

  async #untilReady(): Promise<void> {
    const until = Date.now() + this.#spec.readyWithinMs;
    const first = this.#child;
    let announced = false;
    first?.on('message', (message) => {
      if (message === 'ready') announced = true;
    });
    while (Date.now() < until) {
      if (this.#spawnFailed || first?.exitCode !== null || first?.signalCode !== null) break;
      if (this.#spec.ready === 'message' ? announced : await this.#spec.ready()) return;
      await delay(50);
    }
    const tail = tailOf(this.#logFile);
    await this.stop();
    throw new StartProblem(
      this.#spec.explain?.(tail) ?? `${this.name} did not start; its log ${this.#logFile} ends with:\n${tail}`,
    );
  }

  /** Stops what a house that was killed has left running. */
  async stopLeftover(): Promise<void> {
    const pid = Number(readText(this.#pidFile));
    if (!pid) return;
    const isOurs = commandLineOf(pid).includes(this.#spec.arguments.join(' '));
    if (isOurs) signal(pid, this.#spec.stopSignal ?? 'SIGTERM');
    // A killed process that nobody has taken notice of yet counts as alive: PostgreSQL would refuse its lock file.
    else if (!isZombie(pid)) return;
    for (let waited = 0; isAlive(pid); waited += 50) {
      if (waited === 10_000) signal(pid, 'SIGKILL');
      await delay(50);
    }
  }
}

function rotate(file: string): void {
  try {
    if (statSync(file).size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
  } catch {
    // There is no log yet.
  }
}

function tailOf(file: string): string {
  return readText(file).slice(-LOG_TAIL_BYTES).trim();
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Empty when there is no such process. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // Not Linux, or no such process.
  }
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}

function isZombie(pid: number): boolean {
  return /^\d+ \(.*\) Z /s.test(readText(`/proc/${pid}/stat`));
}

function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
