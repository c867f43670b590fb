// The kinds of proof, cheapest first, with the time each is meant to take on two cores: 18 minutes in all.
import path from 'node:path';
import { PROJECT_ROOT } from '../house/home.ts';

export type Suite = {
  name: string;
  title: string;
  budgetMinutes: number;
  /** `commands`: each is one proof, passed when it ends with 0. `jest`: the folders under tests/. */
  run: { commands: Command[] } | { jest: string[]; workers: number };
};

export type Command = { title: string; program: string[]; cwd?: string };

/** Cores are shared: a suite is stopped when it takes so many times what it is meant to. */
export const PATIENCE_FACTOR = 2;
/** The full counts take longer: the fault rounds twenty times as long, the others hardly more. */
export const LONG_BUDGET_FACTOR = 20;

const bin = (...parts: string[]) => path.join(PROJECT_ROOT, 'node_modules', ...parts);
const node = process.execPath;
const ui = path.join(PROJECT_ROOT, 'ui');

export const SUITES: readonly Suite[] = [
  {
    name: 'types',
    title: 'Types',
    budgetMinutes: 0.75,
    run: {
      commands: [
        {
          title: 'the server side',
          program: [node, bin('@typescript', 'native', 'bin', 'tsc'), '--noEmit'],
        },
        // The build writes the types of the screens' routes and texts, which their check needs.
        { title: 'the screens can be built', program: [node, path.join('bin', 'build.ts')] },
        {
          title: 'the screens',
          program: [node, bin('svelte-check', 'bin', 'svelte-check'), '--tsconfig', './tsconfig.json'],
          cwd: ui,
        },
      ],
    },
  },
  {
    name: 'lint',
    title: 'Style and mistakes',
    budgetMinutes: 0.25,
    run: { commands: [{ title: 'biome', program: [bin('.bin', 'biome'), 'ci', '.'] }] },
  },
  { name: 'rules', title: 'Rules', budgetMinutes: 0.5, run: { jest: ['rules'], workers: 2 } },
  {
    name: 'house',
    title: 'Who may import what, how it is deployed, started and stopped',
    budgetMinutes: 1.5,
    run: { jest: ['architecture', 'house'], workers: 1 },
  },
  { name: 'database', title: 'Tables, locks and entities', budgetMinutes: 0.5, run: { jest: ['domain'], workers: 2 } },
  {
    name: 'activities',
    title: 'Readers, mailboxes, mail servers and the model',
    budgetMinutes: 3,
    run: { jest: ['activities'], workers: 2 },
  },
  {
    name: 'workflows',
    title: 'Workflows, live and replayed',
    budgetMinutes: 2.5,
    run: { jest: ['workflows', 'replay'], workers: 2 },
  },
  { name: 'api', title: 'The API', budgetMinutes: 1, run: { jest: ['api'], workers: 2 } },
  {
    name: 'journeys',
    title: "A person's day, in a browser",
    budgetMinutes: 3.25,
    run: { jest: ['journeys'], workers: 1 },
  },
  { name: 'faults', title: 'Killed at every step', budgetMinutes: 4.75, run: { jest: ['faults'], workers: 2 } },
];
