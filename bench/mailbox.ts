// `npm run bench:mailbox`: what reading a mailbox costs beside the least that reads it: a bare loop of fetch, parse and
// INSERT (bare-loop.ts), in turn with the product; the memory of the process that reads a large one; and the processor
// time of one look at a mailbox where nothing is new.
// Usage: npm run bench:mailbox [-- --quick]
import os from 'node:os';
import { styleText } from 'node:util';
import { say, step } from '../bin/house/progress.ts';
import { median, ratios, spread } from './figures.ts';
import type { BenchHouse } from './house.ts';
import { inHouse } from './in-house.ts';
import { type LooksTook, measureLooks } from './mailbox-looks.ts';
import { type MemorySample, measureMemory } from './mailbox-memory.ts';
import { measureReading, type ReadingRates } from './mailbox-reading.ts';
import { closeMailServers, openMailServers } from './mailboxes.ts';

const SIZES = {
  full: { reading: { rounds: 3, mails: 1_000 }, looks: { mails: [2_000, 20_000], looks: 60 }, memory: 20_000 },
  quick: { reading: { rounds: 1, mails: 200 }, looks: { mails: [200, 2_000], looks: 20 }, memory: 1_000 },
};
const READING_AIM = 0.5;
const LOOK_AIM_MS = 5;

async function measure(house: BenchHouse, size: (typeof SIZES)['full']): Promise<void> {
  say(`Load before: ${os.loadavg()[0]!.toFixed(1)} on ${os.availableParallelism()} cores.`);
  await step('Opening an installation to measure', () => house.open());
  const servers = await step('Opening mail servers', () => openMailServers(house.home));
  try {
    await step('Starting the workers', () => house.startWorkersByQueue());
    say('\nReading, in turn');
    const rates = await measureReading(house, servers, size.reading, detail);
    const looks = await step('Looks at a mailbox where nothing is new', () => measureLooks(house, servers, size.looks));
    const memory = await step('Reading a large mailbox', () => measureMemory(house, servers, size.memory));
    sayReading(rates);
    sayMemory(memory);
    sayLooks(looks);
  } finally {
    await closeMailServers(servers);
  }
}

function sayReading({ bare, kept, recorded }: ReadingRates): void {
  title('Mails a second', 'median of the rounds, lowest to highest');
  say(`  kept, committed with the cursor   ${spread(kept, 0)}`);
  say(`  as conversations, after their runs ${spread(recorded, 1)}`);
  say(`  a bare loop                       ${spread(bare, 0)}`);
  say(`  ratio: ${spread(ratios(kept, bare), 2)} kept beside the bare loop, aim ${READING_AIM}`);
  say(`  ratio: ${spread(ratios(recorded, bare), 2)} as conversations beside the bare loop`);
}

function sayMemory(samples: MemorySample[]): void {
  title('Memory of the process that reads', `${samples.at(-1)!.kept} mails`);
  say(`  ${samples.map(({ kept, megabytes }) => `${kept}: ${megabytes.toFixed(0)} MB`).join(', ')}`);
}

function sayLooks(looks: LooksTook[]): void {
  title('One look where nothing is new', `processor time of the process that reads, aim ${LOOK_AIM_MS} ms`);
  for (const { mails, cpuMs } of looks) say(`  ${mails} mails: ${median(cpuMs).toFixed(1)} ms`);
}

function title(name: string, remark: string): void {
  say(`\n${styleText('bold', name)} ${styleText('dim', `(${remark})`)}`);
}

function detail(line: string): void {
  say(styleText('dim', `  ${line}`));
}

await inHouse((house) => measure(house, process.argv.includes('--quick') ? SIZES.quick : SIZES.full), 20);
