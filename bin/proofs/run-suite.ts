// Runs one suite to its end or to the end of our patience, and counts.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { styleText } from 'node:util';
import { PROJECT_ROOT } from '../house/home.ts';
import { say } from '../house/progress.ts';
import { allEnded, processTree, stopAll } from './process-tree.ts';
import type { Suite } from './suites.ts';

export type Counts = { passed: number; failed: number };
type Limits = { withinMinutes: number; env: NodeJS.ProcessEnv };

const STOP_WITHIN_MS = 15_000;

let running: ChildProcess | null = null;
/** What is being stopped. */
let stopped: number[] = [];

/** With everything it started, servers that are process groups of their own too. */
export function stopRunningSuite(): void {
  if (!running?.pid || running.exitCode !== null || running.signalCode !== null) return;
  stopped = processTree(running.pid);
  stopAll(stopped);
}

export async function runSuite({ run }: Suite, limits: Limits): Promise<Counts> {
  if ('jest' in run) return runJest(run.jest, run.workers, limits);
  const counts = { passed: 0, failed: 0 };
  const until = Date.now() + limits.withinMinutes * 60_000;
  for (const { title, program, cwd } of run.commands) {
    const code = await runProgram(program, { cwd: cwd ?? PROJECT_ROOT, env: limits.env, until });
    counts[code === 0 ? 'passed' : 'failed'] += 1;
    say(`${code === 0 ? styleText('green', '✓') : styleText('red', '✗')} ${title}`);
  }
  return counts;
}

async function runJest(folders: string[], workers: number, limits: Limits): Promise<Counts> {
  const place = mkdtempSync(path.join(os.tmpdir(), 'relais-counts-'));
  const outputFile = path.join(place, 'counts.json');
  try {
    const code = await runProgram(
      [
        process.execPath,
        path.join(PROJECT_ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
        ...folders.map((folder) => path.join(PROJECT_ROOT, 'tests', folder) + path.sep),
        ...['--json', `--outputFile=${outputFile}`, `--maxWorkers=${workers}`],
      ],
      {
        cwd: PROJECT_ROOT,
        env: { ...limits.env, NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' },
        until: Date.now() + limits.withinMinutes * 60_000,
      },
    );
    const counts = countsOf(outputFile);
    // A file that could not even be run, a run that was cut off, a folder without tests: none of them is a success.
    if ((code !== 0 || counts.passed === 0) && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function countsOf(file: string): Counts {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    return { passed: result.numPassedTests, failed: result.numFailedTests + result.numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

function runProgram(
  [program, ...args]: string[],
  { cwd, env, until }: { cwd: string; env: NodeJS.ProcessEnv; until: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      cwd,
      env: { ...process.env, ...env },
      // Jest's JSON goes to its file; what it says to people goes to the error stream.
      stdio: ['ignore', args.includes('--json') ? 'ignore' : 'inherit', 'inherit'],
      detached: true,
    });
    running = child;
    const late = setTimeout(() => {
      say(styleText('red', '  It takes too long: stopped.'));
      stopRunningSuite();
      void allEnded(stopped, STOP_WITHIN_MS);
    }, until - Date.now());
    child.once('error', reject);
    child.once('exit', async (code) => {
      clearTimeout(late);
      running = null;
      await allEnded(stopped, STOP_WITHIN_MS);
      stopped = [];
      resolve(code ?? 1);
    });
  });
}
