// The table of who may import whom, as .dependency-cruiser.cjs has it: the house keeps to it, and a breach of every rule
// is planted in a small house of its own to show that it is caught.
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PROJECT_ROOT } from '../../bin/house/home.ts';

const CRUISER = path.join(PROJECT_ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs');
const CONFIG = path.join(PROJECT_ROOT, '.dependency-cruiser.cjs');
const FOLDERS = ['domain', 'workflows', 'activities', 'workers', 'api', 'ui/src'];

type Cruised = {
  modules: { source: string; dependencies: { resolved: string; dependencyTypes: string[] }[] }[];
  summary: {
    violations: { from: string; to: string; rule: { name: string } }[];
    ruleSetUsed: { forbidden: { name: string; comment: string }[] };
  };
};

function cruise(root: string): Promise<Cruised> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [CRUISER, '--config', CONFIG, '--output-type', 'json', ...FOLDERS],
      { cwd: root, maxBuffer: 64_000_000, env: { ...process.env, NODE_OPTIONS: '' } },
      (_error, stdout, stderr) => {
        try {
          resolve(JSON.parse(stdout));
        } catch {
          reject(new Error(`dependency-cruiser said: ${stderr || stdout}`));
        }
      },
    );
  });
}

function breachesOf({ summary }: Cruised): string[] {
  return summary.violations.map(({ from, to, rule }) => `${from} imports ${to}: ${rule.name}`);
}

describe('the house', () => {
  let house: Cruised;

  beforeAll(async () => {
    house = await cruise(PROJECT_ROOT);
  });

  test('keeps to the table of imports', () => {
    expect(breachesOf(house)).toEqual([]);
  });

  test('was looked at in every source file', () => {
    const seen = new Set(house.modules.map(({ source }) => source));
    const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.{ts,svelte}`, { cwd: PROJECT_ROOT }));
    const unseen = files.filter((file) => !file.startsWith('ui/src/paraglide/') && !seen.has(file));
    expect(files.length).toBeGreaterThan(100);
    expect(unseen).toEqual([]);
  });

  test.each([
    ['domain/record/run-request.ts', 'workflows/contract.ts'],
    ['workers/relay.ts', 'workflows/search-attributes.ts'],
    ['ui/src/lib/api.ts', 'api/contract/client.ts'],
  ])('still needs the exception of %s for %s', (from, to) => {
    const file = house.modules.find(({ source }) => source === from);
    const taken = file?.dependencies.find(({ resolved }) => resolved === to);
    expect(taken?.dependencyTypes).toBeDefined();
    expect(taken?.dependencyTypes).not.toContain('type-only');
  });
});

/** A house that keeps to the table, as small as it can be: files and what they import. */
const SMALL_HOUSE: Record<string, string[]> = {
  'domain/rules/rule.ts': ['re2js'],
  'domain/people/role.ts': [],
  'domain/record/log.ts': ['node:path', '#domain/rules/rule.ts', 'zod'],
  'domain/record/run-request.ts': ['@mikro-orm/core', '#workflows/contract.ts'],
  'workflows/contract.ts': [],
  'workflows/search-attributes.ts': ['@temporalio/workflow', './contract.ts'],
  'workflows/receive.ts': ['./search-attributes.ts', '#domain/rules/rule.ts', 'type #activities/receiving.ts'],
  'activities/receiving.ts': ['imapflow', '#domain/record/log.ts', '#workflows/contract.ts'],
  'workers/main.ts': ['#activities/receiving.ts', '#workflows/search-attributes.ts', '@temporalio/client'],
  'api/app.ts': ['express', '#domain/record/log.ts', '#workflows/contract.ts'],
  'api/contract/route.ts': ['zod', 'type #domain/people/role.ts'],
  'api/contract/client.ts': ['type ./route.ts'],
  'ui/src/lib/api.ts': [
    '../../../api/contract/client.ts',
    'type ../../../api/contract/route.ts',
    '../../../domain/rules/rule.ts',
  ],
  'ui/src/lib/Tree.svelte': ['./Tree.svelte'],
  'bin/house/home.ts': [],
};

const PACKAGES = [
  're2js',
  'zod',
  'express',
  'imapflow',
  '@mikro-orm/core',
  '@temporalio/workflow',
  '@temporalio/client',
];

/** What is planted, the rule that must name it, the file it stands in, and what that imports. */
const BREACHES: [what: string, rule: string, file: string, imports: string][] = [
  ['a rule that reads a file', 'rules-are-pure', 'domain/rules/a.ts', 'node:fs'],
  ['a rule that knows a noun', 'rules-are-pure', 'domain/rules/b.ts', '#domain/record/log.ts'],
  ['a rule with a package of its own', 'rules-are-pure', 'domain/rules/c.ts', 'zod'],
  ['a noun that starts a workflow', 'domain-stands-alone', 'domain/work/a.ts', '#workflows/contract.ts'],
  ['a noun that calls an activity', 'domain-stands-alone', 'domain/work/b.ts', '#activities/receiving.ts'],
  ['a noun that knows the API', 'domain-stands-alone', 'domain/work/c.ts', '#api/app.ts'],
  ['a noun that knows HTTP', 'domain-stands-alone', 'domain/work/d.ts', 'express'],
  ['a noun that knows Temporal', 'domain-stands-alone', 'domain/work/e.ts', '@temporalio/client'],
  [
    'a run request that knows a workflow body',
    'run-requests-know-the-contract',
    'domain/record/run-request.ts',
    '#workflows/receive.ts',
  ],
  ['a workflow that reads a file', 'workflows-are-pure', 'workflows/a.ts', 'node:fs'],
  ['a workflow that knows the ORM', 'workflows-are-pure', 'workflows/b.ts', '@mikro-orm/core'],
  ['a workflow that knows a noun', 'workflows-are-pure', 'workflows/c.ts', '#domain/record/log.ts'],
  ['a workflow that knows a noun by its type', 'workflows-are-pure', 'workflows/d.ts', 'type #domain/people/role.ts'],
  ['a workflow with a Temporal client', 'workflows-are-pure', 'workflows/e.ts', '@temporalio/client'],
  [
    'a workflow that calls an activity past Temporal',
    'workflows-know-activities-by-type',
    'workflows/f.ts',
    '#activities/receiving.ts',
  ],
  [
    'a contract that brings the SDK along',
    'the-contract-stands-alone',
    'workflows/contract.ts',
    '@temporalio/workflow',
  ],
  [
    'an activity that knows a workflow body',
    'activities-know-the-contract',
    'activities/a.ts',
    '#workflows/receive.ts',
  ],
  ['an activity that knows the API', 'activities-know-the-contract', 'activities/b.ts', '#api/app.ts'],
  ['an activity that knows its worker', 'activities-know-the-contract', 'activities/c.ts', '#workers/main.ts'],
  ['a worker that knows the API', 'workers-run-the-machine', 'workers/a.ts', '#api/app.ts'],
  ['a worker that knows a workflow body', 'workers-run-the-machine', 'workers/b.ts', '#workflows/receive.ts'],
  ['a route that does the work itself', 'api-asks-the-domain', 'api/routes/a.ts', '#activities/receiving.ts'],
  [
    'a route that knows a type of an activity',
    'api-asks-the-domain',
    'api/routes/b.ts',
    'type #activities/receiving.ts',
  ],
  ['a route that knows a worker', 'api-asks-the-domain', 'api/routes/c.ts', '#workers/main.ts'],
  ['a route that knows a workflow body', 'api-asks-the-domain', 'api/routes/d.ts', '#workflows/receive.ts'],
  ['a route that speaks to Temporal', 'api-works-without-temporal', 'api/routes/e.ts', '@temporalio/client'],
  ['a contract that knows Express', 'api-contract-is-light', 'api/contract/a.ts', 'express'],
  ['a contract that knows a noun', 'api-contract-is-light', 'api/contract/b.ts', '#domain/record/log.ts'],
  ['a client that brings the schemas along', 'api-client-is-types', 'api/contract/client.ts', './route.ts'],
  ['a screen that knows a noun', 'ui-stands-alone', 'ui/src/lib/a.ts', '../../../domain/record/log.ts'],
  ['a screen that knows the API', 'ui-stands-alone', 'ui/src/lib/b.ts', '../../../api/app.ts'],
  ['a component that knows a workflow', 'ui-stands-alone', 'ui/src/lib/C.svelte', '../../../workflows/contract.ts'],
  [
    'a screen that ships the schemas',
    'ui-knows-the-contract-by-type',
    'ui/src/lib/d.ts',
    '../../../api/contract/route.ts',
  ],
  ['an API that reads a mailbox', 'only-activities-touch-the-outside-world', 'api/routes/f.ts', 'imapflow'],
  ['a worker that reads a mailbox', 'only-activities-touch-the-outside-world', 'workers/c.ts', 'imapflow'],
  ['a noun that leans on a script', 'nothing-leans-on-scripts', 'domain/work/f.ts', '../../bin/house/home.ts'],
  ['an import that leads nowhere', 'no-unknown-imports', 'activities/d.ts', 'left-pad'],
  ['two files that need each other', 'no-circles', 'domain/work/g.ts', './h.ts'],
];

describe('a breach that was planted', () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'relais-imports-'));
  let sound: Cruised;
  let broken: Cruised;

  beforeAll(async () => {
    build(path.join(root, 'sound'), SMALL_HOUSE);
    const planted: typeof SMALL_HOUSE = { ...SMALL_HOUSE, 'domain/work/h.ts': ['./g.ts'] };
    for (const [, , file, imports] of BREACHES) planted[file] = [...(planted[file] ?? []), imports];
    build(path.join(root, 'broken'), planted);
    [sound, broken] = await Promise.all([cruise(path.join(root, 'sound')), cruise(path.join(root, 'broken'))]);
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('is none in a house that keeps to the table', () => {
    expect(breachesOf(sound)).toEqual([]);
  });

  test.each(BREACHES)('is caught: %s', (_what, rule, file) => {
    const caught = broken.summary.violations.filter(({ from }) => from === file);
    expect(caught.map((violation) => violation.rule.name)).toContain(rule);
  });

  test('stands there for every rule', () => {
    const rules = broken.summary.ruleSetUsed.forbidden.map(({ name }) => name);
    expect(new Set(BREACHES.map(([, rule]) => rule))).toEqual(new Set(rules));
  });
});

function build(root: string, files: Record<string, string[]>): void {
  const folders = ['domain', 'workflows', 'activities', 'workers', 'api'];
  const imports = Object.fromEntries(folders.map((folder) => [`#${folder}/*`, `./${folder}/*`]));
  write(root, 'package.json', JSON.stringify({ name: 'small-house', type: 'module', imports }));
  for (const [file, modules] of Object.entries(files)) write(root, file, sourceOf(file, modules));
  for (const name of PACKAGES) {
    write(root, `node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(root, `node_modules/${name}/index.js`, '');
  }
}

/** Each module is imported whole and used, as a value or as a type: what is in it does not matter. */
function sourceOf(file: string, modules: string[]): string {
  const lines = modules.map((module, index) =>
    module.startsWith('type ')
      ? `import type * as m${index} from '${module.slice(5)}'; export type T${index} = keyof typeof m${index};`
      : `import * as m${index} from '${module}'; export const v${index} = m${index};`,
  );
  const source = [...lines, 'export {};'].join('\n');
  return file.endsWith('.svelte') ? `<script module lang="ts">\n${source}\n</script>` : source;
}

function write(root: string, file: string, source: string): void {
  const place = path.join(root, file);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, source);
}
