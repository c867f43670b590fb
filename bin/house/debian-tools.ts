// Programs that come from Debian's packages: a mail server for the tests, a browser for the journeys. Found where they
// are, installed where that is possible, asked for in one sentence where it is not.
import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { StartProblem, say, step } from './progress.ts';

const SAID_KEPT = 2_000;

/**
 * @param program its full path, such as `/usr/sbin/dovecot`
 * @param name of the package it comes with, such as `dovecot-imapd`
 * @returns the path of the program
 * @throws StartProblem saying what to install
 */
export async function needDebianPackage(program: string, name: string): Promise<string> {
  if (existsSync(program)) return program;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new StartProblem(`${program} is missing: install it, on Debian with \`apt-get install ${name}\` as root.`);
  }
  await step(`Installing Debian's package ${name} (once)`, () => install(name));
  if (existsSync(program)) return program;
  throw new StartProblem(
    `Debian's package ${name} was installed and has no ${program}: install that program yourself.`,
  );
}

async function install(name: string): Promise<void> {
  const forbidsServices = forbidServices();
  try {
    await installOrUpdate(name);
  } finally {
    if (forbidsServices) rmSync(POLICY);
  }
}

const POLICY = '/usr/sbin/policy-rc.d';

// Debian starts a service with its package, unless this says no (invoke-rc.d(8)). One that is there already stays.
function forbidServices(): boolean {
  if (existsSync(POLICY)) return false;
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return true;
}

async function installOrUpdate(name: string): Promise<void> {
  const first = await aptGet('install', name);
  if (first === null) return;
  // A fresh machine has no lists of packages, an older one lists that are too old.
  say('  Fetching the lists of packages, and once more');
  const problem = (await aptGet('update')) ?? (await aptGet('install', name));
  if (problem !== null) {
    throw new StartProblem(`Debian's package ${name} could not be installed; apt-get says:\n${problem}`);
  }
}

/** @returns null when it went well, else the end of what it said */
function aptGet(command: 'install' | 'update', ...names: string[]): Promise<string | null> {
  const quiet = ['-q', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120'];
  const options = command === 'install' ? ['--yes', '--no-install-recommends'] : [];
  return new Promise((resolve) => {
    const apt = spawn('apt-get', [...quiet, command, ...options, ...names], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const keep = (chunk: Buffer) => {
      said = (said + chunk).slice(-SAID_KEPT);
    };
    apt.stdout.on('data', keep);
    apt.stderr.on('data', keep);
    apt.once('error', (error) => resolve(error.message));
    apt.once('exit', (code) => resolve(code === 0 ? null : said.trim()));
  });
}
