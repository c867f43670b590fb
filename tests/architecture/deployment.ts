// The files that put Relais into containers, read as the programs read them that they are for.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { PROJECT_ROOT } from '../../bin/house/home.ts';

export type Service = {
  image: string;
  build?: { args: Record<string, string> };
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  networks: string[];
  profiles?: string[];
  restart: string;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  deploy?: { replicas: number };
  stop_grace_period?: string;
  init?: boolean;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
};
export type Compose = {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean }>;
};
export type Env = Record<string, string>;

/** A file of the repository, by its path from the root. */
export function read(file: string): string {
  return readFileSync(path.join(PROJECT_ROOT, file), 'utf8');
}

export type ExampleLine = {
  name: string;
  value: string;
  comment: string;
  /** Set by whoever copies the file; the others show their default. */
  shown: boolean;
};

/** The settings that .env.example names, in order. */
export function exampleLines(text: string): ExampleLine[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const [, hidden, name, value] = /^(#?)([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    return name ? [{ name, value: value!, comment: lines[index - 1] ?? '', shown: hidden === '' }] : [];
  });
}

const INTERPOLATION = /\$\$|\$\{([A-Z_][A-Z0-9_]*)(?:(:?[-?])([^}]*))?\}/g;

/** The variables a compose file takes from .env. */
export function variablesIn(text: string): Set<string> {
  return new Set([...text.matchAll(INTERPOLATION)].flatMap(([, name]) => name ?? []));
}

/** A compose file as docker compose reads it beside this .env. @throws naming a required variable that is missing */
export function readCompose(text: string, env: Env): Compose {
  return interpolated(parse(text, { merge: true }), env) as Compose;
}

function interpolated(value: unknown, env: Env): unknown {
  if (typeof value === 'string') return value.replaceAll(INTERPOLATION, (...match) => substitute(match, env));
  if (Array.isArray(value)) return value.map((item) => interpolated(item, env));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, interpolated(item, env)]));
}

// The forms of the compose specification that the file uses.
function substitute([whole, name, operator, word]: string[], env: Env): string {
  if (whole === '$$') return '$';
  const value = env[name!];
  const missing = operator?.startsWith(':') ? !value : value === undefined;
  if (!missing) return value ?? '';
  if (operator?.endsWith('?')) throw new Error(`required variable ${name} is missing a value: ${word}`);
  return word ?? '';
}

export type Instruction = { word: string; rest: string };

export function instructionsOf(dockerfile: string): Instruction[] {
  return dockerfile
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ word: line.split(' ', 1)[0]!, rest: line.slice(line.indexOf(' ') + 1) }));
}
