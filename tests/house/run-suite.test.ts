import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { runSuite, stopRunningSuite } from '../../bin/proofs/run-suite.ts';
import { until } from '../support/until.ts';

const place = mkdtempSync(path.join(os.tmpdir(), 'relais-suite-'));

afterAll(() => rmSync(place, { recursive: true, force: true }));

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

// A server as the tests start one: a process group of its own, which says where it is and would stay for ever.
const SERVER = 'require("fs").writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 60_000);';
const SUITE = `
  require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(SERVER)}, process.argv[1]], { detached: true });
  setInterval(() => {}, 60_000);
`;

test('a suite that is stopped takes the servers it started with it, and nothing else', async () => {
  const pidFile = path.join(place, 'server.pid');
  const program = [process.execPath, '-e', SUITE, pidFile];
  const running = runSuite(
    {
      name: 'endless',
      title: 'A suite without an end',
      budgetMinutes: 1,
      run: { commands: [{ title: 'never', program }] },
    },
    { withinMinutes: 1, env: {} },
  );
  const server = await until('its server runs', () => {
    try {
      return Number(readFileSync(pidFile, 'utf8'));
    } catch {
      return null;
    }
  });
  try {
    stopRunningSuite();
    expect(await running).toEqual({ passed: 0, failed: 1 });
    expect(isAlive(server)).toBe(false);
  } finally {
    if (isAlive(server)) process.kill(server, 'SIGKILL');
  }
});
