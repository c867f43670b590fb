// `npm run bench:recovery`: how late the latest message is when a worker dies. Messages come in at a steady pace; again
// and again one of the two workers is killed with SIGKILL in the middle of its work and started again. Every message is
// timed from the moment it was accepted to the moment it lay in its folder.
// Usage: npm run bench:recovery [-- --quick]
import os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { say, step } from '../bin/house/progress.ts';
import { percentile } from './figures.ts';
import type { BenchHouse } from './house.ts';
import { inHouse } from './in-house.ts';
import { messageBody, signedHeaders } from './messages.ts';

const SIZES = { full: { kills: 10, secondsBetween: 6 }, quick: { kills: 2, secondsBetween: 5 } };
const PER_SECOND = 6;
const AIM_MS = 2_500;
const SORTED_WITHIN_MS = 30_000;

async function measure(house: BenchHouse): Promise<void> {
  const { kills, secondsBetween } = process.argv.includes('--quick') ? SIZES.quick : SIZES.full;
  say(`Load before: ${os.loadavg()[0]!.toFixed(1)} on ${os.availableParallelism()} cores.`);
  await step('Opening an installation to measure', () => house.open());
  await step('Starting two workers', () => house.startWorkers());
  await step('Warming up', () => send(house, 'warm', 5));
  const quiet = await step('Messages without a kill', () => send(house, 'quiet', kills * secondsBetween));
  const killed: number[] = [];
  const disturbed = await step(`Messages with ${kills} kills`, async () => {
    const sent = send(house, 'killed', (kills + 1) * secondsBetween);
    for (let kill = 0; kill < kills; kill += 1) {
      await delay(secondsBetween * 1000);
      killed.push(killWorker(house, `workers-${1 + (kill % 2)}`));
    }
    return sent;
  });
  if (new Set(killed).size !== kills) throw new Error('A worker that had not started again was to be killed.');
  say('\nFrom accepted to sorted, in milliseconds');
  say(`  without a kill   ${line(quiet)}`);
  say(`  with ${kills} kills    ${line(disturbed)}, aim ${AIM_MS}`);
}

/** @returns how long each took, all of them: one that is missing is an error */
async function send({ company, owner }: BenchHouse, prefix: string, seconds: number): Promise<number[]> {
  const count = seconds * PER_SECOND;
  const { secret, url } = company.webhook;
  const answers: Promise<Response>[] = [];
  for (let number = 0; number < count; number += 1) {
    const body = messageBody(`${prefix}-${number}`);
    answers.push(fetch(url, { method: 'POST', headers: signedHeaders(secret, body, `${prefix}-${number}`), body }));
    await delay(1000 / PER_SECOND);
  }
  const refused = (await Promise.all(answers)).find(({ status }) => status !== 202);
  if (refused) throw new Error(`The webhook answered ${refused.status}.`);
  const until = Date.now() + SORTED_WITHIN_MS;
  for (;;) {
    const { rows } = await owner.query<{ took: number }>(
      `select extract(epoch from step.created_at - receipt.created_at)::float * 1000 as took
         from receipt join step on step.message_id = receipt.message_id and step.name = 'sortConversation'
        where receipt.source_id like $1`,
      [`${prefix}-%`],
    );
    if (rows.length === count) return rows.map(({ took }) => took);
    if (Date.now() > until) throw new Error(`Of ${count} messages ${rows.length} were sorted.`);
    await delay(200);
  }
}

function killWorker(house: BenchHouse, name: string): number {
  const pid = house.pidOf(name);
  process.kill(pid, 'SIGKILL');
  return pid;
}

function line(took: number[]): string {
  const at = (share: number) => percentile(took, share).toFixed(0);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, worst ${at(1)} of ${took.length}`;
}

await inHouse(measure);
