// First contact with a new machine: runs under whatever Node is installed (18 or later), brings the locked
// dependencies when they are missing or older than the lock file, and hands over to the Node 24 among them.
// Usage: node bin/run.js <start|demo|test|…> [arguments], or <folder>/<script> for a script outside bin/
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const nodeBinary = path.join(root, 'node_modules', '.bin', 'node');
const [script, ...scriptArguments] = process.argv.slice(2);
const NEEDED_NODE = 24;

function dependenciesAreCurrent() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || !existsSync(nodeBinary)) return false;
  return statSync(installed).mtimeMs >= statSync(path.join(root, 'package-lock.json')).mtimeMs;
}

function installDependencies() {
  // npm ci first deletes what is there: through a link, the dependencies of another checkout, under its running processes.
  if (lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink())
    throw new Error('node_modules is a link and out of date: bring it up to date where it leads, or remove the link.');
  return new Promise((resolve, reject) => {
    const started = Date.now();
    // Standard output belongs to the script.
    console.error('Installing the locked dependencies, Node 24 among them (about a minute, once)…');
    const ticker = setInterval(() => {
      console.error(`  still installing… ${Math.round((Date.now() - started) / 1000)} s`);
    }, 10_000);
    const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    npm.on('error', reject);
    npm.on('exit', (code) => {
      clearInterval(ticker);
      if (code === 0) resolve(undefined);
      else reject(new Error(`npm ci ended with code ${code}: its own message stands above.`));
    });
  });
}

/** Stays beside the Node 24 process: passes signals on, ends with its code, and stops it when npm itself is gone. */
function handOver() {
  const file = script.includes('/') ? `${script}.ts` : path.join('bin', `${script}.ts`);
  const child = spawn(nodeBinary, [path.join(root, file), ...scriptArguments], {
    cwd: root,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Its own process group: a Ctrl-C in the terminal reaches it once, through us.
    detached: true,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, 500);
  child.on('exit', (code, signal) => {
    clearInterval(watch);
    process.exit(code ?? (signal === 'SIGINT' ? 130 : 143));
  });
}

try {
  if (!script) throw new Error('Say what to run, for example: npm start');
  if (!dependenciesAreCurrent()) await installDependencies();
  if (!existsSync(nodeBinary))
    throw new Error(`Node ${NEEDED_NODE} did not arrive with the dependencies: delete node_modules and try again.`);
  handOver();
} catch (error) {
  console.error(`\nRelais could not start: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
