// A real clamd on loopback whose only signature is that of one harmless file: nothing is fetched.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { needDebianPackage } from '../../bin/house/debian-tools.ts';
import { until } from './until.ts';

/** What its database calls a virus. */
export const KNOWN_VIRUS = Buffer.from('A harmless text that the scanner of these tests knows as a virus.');
export const LARGEST_SCANNED_BYTES = 100_000;

export class Clamd {
  readonly port: number;
  readonly #program: string;
  readonly #home: string;
  #process: ChildProcess | null = null;

  private constructor(program: string, port: number) {
    this.#program = program;
    this.port = port;
    this.#home = path.join(process.env.TEST_HOME!, `clamd-${port}`);
    mkdirSync(this.#home);
    const digest = createHash('md5').update(KNOWN_VIRUS).digest('hex');
    writeFileSync(path.join(this.#home, 'test.hdb'), `${digest}:${KNOWN_VIRUS.length}:Test.Known\n`);
    writeFileSync(
      path.join(this.#home, 'clamd.conf'),
      [
        'Foreground yes',
        'TCPAddr 127.0.0.1',
        `TCPSocket ${port}`,
        `DatabaseDirectory ${this.#home}`,
        `StreamMaxLength ${LARGEST_SCANNED_BYTES}`,
        '',
      ].join('\n'),
    );
  }

  /** Not started yet. */
  static async prepare(port: number): Promise<Clamd> {
    return new Clamd(await needDebianPackage('/usr/sbin/clamd', 'clamav-daemon'), port);
  }

  async start(): Promise<void> {
    const log = openSync(path.join(this.#home, 'clamd.log'), 'a');
    this.#process = spawn(this.#program, ['--config-file', path.join(this.#home, 'clamd.conf')], {
      stdio: ['ignore', log, log],
    });
    await until(`clamd answers (${this.#home}/clamd.log)`, () => answers(this.port), 30_000);
  }

  async stop(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('zPING\0'));
    socket.once('data', (answer) => resolve(answer.includes('PONG')));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
