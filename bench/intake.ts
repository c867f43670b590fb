// `npm run bench:intake`: what the product's road costs beside the least that could be done on the same machine at the
// same time. The ratios mean something anywhere; the absolute figures only on a machine that does nothing else.
// Usage: npm run bench:intake [-- --quick]
import os from 'node:os';
import { styleText } from 'node:util';
import { say, step } from '../bin/house/progress.ts';
import { type Acknowledgements, measureAcknowledgements } from './acknowledgements.ts';
import { measureArrivals } from './arrivals.ts';
import { median, percentile, ratios, spread } from './figures.ts';
import type { BenchHouse } from './house.ts';
import { inHouse } from './in-house.ts';
import { measureRuns, type RunRates } from './runs.ts';

const SIZES = {
  full: { runs: { rounds: 5, runs: 150 }, knocks: { rounds: 5, seconds: 3 }, samples: 40 },
  quick: { runs: { rounds: 1, runs: 30 }, knocks: { rounds: 1, seconds: 1 }, samples: 5 },
};
const RUNS_AIM = 0.6;
const ACKNOWLEDGEMENTS_AIM = 0.7;

async function measure(house: BenchHouse, size: (typeof SIZES)['full']): Promise<void> {
  const load = os.loadavg()[0]!;
  say(`Load before: ${load.toFixed(1)} on ${os.availableParallelism()} cores.`);
  await step('Opening an installation to measure', () => house.open());
  await step('Starting the workers', () => house.startWorkers());
  say('\nRuns, in turn');
  const rates = await measureRuns(house, size.runs, detail);
  const took = await step('Messages one by one', () => measureArrivals(house, size.samples));
  await step('Stopping the workers', () => house.stopWorkers());
  say('\nAcknowledgements, in turn');
  const knocked = await measureAcknowledgements(house, size.knocks, detail);
  sayRuns(rates);
  sayAcknowledgements(knocked);
  sayArrivals(took);
}

function sayRuns({ receiveMessage, oneActivityRun, emptyRun }: RunRates): void {
  title('Runs a second', 'median of the rounds, lowest to highest');
  say(`  receiveMessage, rules only   ${spread(receiveMessage, 1)}`);
  say(`  one empty plain activity     ${spread(oneActivityRun, 1)}`);
  say(`  empty workflow               ${spread(emptyRun, 1)}`);
  sayRatio(ratios(receiveMessage, oneActivityRun), `of one empty activity, aim ${RUNS_AIM}`);
  sayRatio(ratios(receiveMessage, emptyRun), 'of an empty workflow');
}

function sayAcknowledgements({ product, bare }: Acknowledgements): void {
  const perSecond = (side: Acknowledgements['bare']) => side.map((one) => one.perSecond);
  const p99 = (side: Acknowledgements['bare']) => median(side.map((one) => one.p99)).toFixed(0);
  title('Webhook acknowledgements a second', 'after the commit');
  say(`  the product's door           ${spread(perSecond(product), 0)}, p99 ${p99(product)} ms`);
  say(`  a bare door, one INSERT      ${spread(perSecond(bare), 0)}, p99 ${p99(bare)} ms`);
  sayRatio(ratios(perSecond(product), perSecond(bare)), `of the bare door, aim ${ACKNOWLEDGEMENTS_AIM}`);
}

function sayArrivals(took: number[]): void {
  title('From the webhook to the folder', `${took.length} messages, one at a time`);
  say(`  p50 ${percentile(took, 0.5).toFixed(0)} ms, p95 ${percentile(took, 0.95).toFixed(0)} ms`);
}

function title(name: string, remark: string): void {
  say(`\n${styleText('bold', name)} ${styleText('dim', `(${remark})`)}`);
}

function sayRatio(values: number[], remark: string): void {
  say(`  ratio: ${spread(values, 2)} ${remark}`);
}

function detail(line: string): void {
  say(styleText('dim', `  ${line}`));
}

await inHouse((house) => measure(house, process.argv.includes('--quick') ? SIZES.quick : SIZES.full));
