// What has to be built before it can run: the screens and the bundle of the workflows. Each is built again only when
// something it is made from has changed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROJECT_ROOT } from './home.ts';
import { StartProblem, step } from './progress.ts';

export const BUILD_FOLDER = path.join(PROJECT_ROOT, 'build');
export const UI_BUILD = path.join(BUILD_FOLDER, 'ui');
export const WORKFLOW_BUNDLE = path.join(BUILD_FOLDER, 'workflows.js');

type Product = { name: string; title: string; sources: string[]; output: string; command: string[]; cwd: string };

const node = path.join(PROJECT_ROOT, 'node_modules', '.bin', 'node');

const PRODUCTS: Product[] = [
  {
    name: 'ui',
    title: 'Building the screens (about 20 seconds, when they have changed)',
    sources: ['ui', 'api/contract', 'domain/rules', 'domain/people/role.ts', 'package-lock.json'],
    output: path.join(UI_BUILD, 'handler.js'),
    command: [node, path.join(PROJECT_ROOT, 'node_modules', 'vite', 'bin', 'vite.js'), 'build'],
    cwd: path.join(PROJECT_ROOT, 'ui'),
  },
  {
    name: 'workflows',
    title: 'Bundling the workflows',
    sources: ['workflows', 'domain/rules', 'package-lock.json'],
    output: WORKFLOW_BUNDLE,
    command: [node, path.join(PROJECT_ROOT, 'workers', 'bundle-workflows.ts'), WORKFLOW_BUNDLE],
    cwd: PROJECT_ROOT,
  },
];

/** @throws StartProblem with the end of the builder's output */
export async function buildWhatChanged(
  names: readonly string[] = PRODUCTS.map((product) => product.name),
): Promise<void> {
  for (const product of PRODUCTS.filter((candidate) => names.includes(candidate.name))) {
    const stamp = path.join(BUILD_FOLDER, `${product.name}.stamp`);
    const digest = digestOf(product.sources);
    if (existsSync(product.output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) continue;
    await step(product.title, () => run(product));
    mkdirSync(BUILD_FOLDER, { recursive: true });
    writeFileSync(stamp, digest);
  }
}

function run({ command: [program, ...args], cwd, name }: Product): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const keep = (chunk: Buffer) => {
      said = (said + chunk).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new StartProblem(`The ${name} could not be built:\n${said.trim()}`));
    });
  });
}

const LEFT_OUT = new Set(['node_modules', '.svelte-kit', 'paraglide', 'build']);

function digestOf(sources: string[]): string {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const file of filesUnder(path.join(PROJECT_ROOT, source))) {
      hash.update(path.relative(PROJECT_ROOT, file)).update('\0').update(readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

function filesUnder(place: string): string[] {
  if (!existsSync(place)) return [];
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { withFileTypes: true })
    .filter((entry) => !LEFT_OUT.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesUnder(path.join(place, entry.name)));
}
