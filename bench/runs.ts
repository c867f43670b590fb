// Runs a second: receiveMessage by rules alone, to its end at "no reply", beside a run of one empty plain activity and
// an empty one. A round is a burst: its receipts are committed beforehand, then all its requests are committed at once,
// and the product's relay starts the runs. All three kinds take this road, so each has the same starts (eager ones), the
// same workers, options and number at a time. The clock stops when Temporal has closed the last run.
import { setTimeout as delay } from 'node:timers/promises';
import { Receipt } from '#domain/integrations/receipt.ts';
import { RunRequest, startReceiveMessage } from '#domain/record/run-request.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { BenchHouse } from './house.ts';
import { messageBody } from './messages.ts';

const KINDS = ['receiveMessage', 'oneActivityRun', 'emptyRun'] as const;
type Kind = (typeof KINDS)[number];
export type RunRates = Record<Kind, number[]>;

const ROUND_WITHIN_MS = 90_000;

/** A B C, A B C…, after one round that is not counted. */
export async function measureRuns(
  house: BenchHouse,
  size: { rounds: number; runs: number },
  say: (line: string) => void,
): Promise<RunRates> {
  const rates: RunRates = { receiveMessage: [], oneActivityRun: [], emptyRun: [] };
  for (const kind of KINDS) await runsPerSecond(house, kind, size.runs);
  for (let round = 1; round <= size.rounds; round += 1) {
    for (const kind of KINDS) rates[kind].push(await runsPerSecond(house, kind, size.runs));
    say(`round ${round}: ${KINDS.map((kind) => `${kind} ${rates[kind].at(-1)!.toFixed(1)}/s`).join(', ')}`);
  }
  await needSorted(house, size.runs * (size.rounds + 1));
  return rates;
}

async function runsPerSecond(house: BenchHouse, kind: Kind, count: number): Promise<number> {
  const ids = Array.from({ length: count }, newId);
  if (kind === 'receiveMessage') await keepReceipts(house, ids);
  const closedBefore = await closedRuns(house, kind);
  const began = await askForRuns(house, kind, ids);
  await untilClosed(house, kind, closedBefore + count, began);
  return (count / ((await lastClose(house, kind, began)) - began)) * 1000;
}

async function keepReceipts({ database, company }: BenchHouse, ids: string[]): Promise<void> {
  await database.inTenant(company.tenantId, async (em) => {
    for (const id of ids) {
      em.create(Receipt, {
        id,
        integrationId: company.webhook.id,
        sourceId: id,
        format: 'custom',
        raw: Buffer.from(messageBody(id)),
        origin: {},
        expiresAt: new Date(Date.now() + 3600_000),
      });
    }
  });
}

/** @returns when all requests were there for the relay to see */
async function askForRuns({ database, company }: BenchHouse, kind: Kind, ids: string[]): Promise<number> {
  const { tenantId } = company;
  await database.inTenant(tenantId, async (em) => {
    for (const id of ids) {
      if (kind === 'receiveMessage') startReceiveMessage(em, tenantId, id);
      else
        em.create(RunRequest, { kind: 'start', name: kind, workflowId: `tenant/${tenantId}/${kind}/${id}`, input: {} });
    }
  });
  database.wakeRelay();
  return Date.now();
}

// Asks seldom, because each question is work for the server that is being measured.
async function untilClosed(house: BenchHouse, kind: Kind, wanted: number, began: number): Promise<void> {
  let wait = 500;
  for (;;) {
    await delay(wait);
    const closed = await closedRuns(house, kind);
    if (closed >= wanted) return;
    if (Date.now() - began > ROUND_WITHIN_MS) throw new Error(`${wanted - closed} runs of ${kind} did not end.`);
    wait = Math.max(200, wait / 2);
  }
}

async function closedRuns({ temporal }: BenchHouse, kind: Kind): Promise<number> {
  return (await temporal.workflow.count(`WorkflowType = '${kind}' AND ExecutionStatus = 'Completed'`)).count;
}

async function lastClose({ temporal }: BenchHouse, kind: Kind, began: number): Promise<number> {
  let last = 0;
  const query = `WorkflowType = '${kind}' AND CloseTime > '${new Date(began).toISOString()}'`;
  for await (const { closeTime } of temporal.workflow.list({ query })) last = Math.max(last, closeTime!.getTime());
  return last;
}

/** Speed that leaves out the work would be none. */
async function needSorted({ owner }: BenchHouse, wanted: number): Promise<void> {
  const { rows } = await owner.query(
    `select (select count(*)::int from conversation where sorted_by = 'rule') as sorted,
            (select count(*)::int from step where name = 'decideReply' and outcome = 'none') as ended`,
  );
  const { sorted, ended } = rows[0];
  if (sorted !== wanted || ended !== wanted)
    throw new Error(`Of ${wanted} messages ${sorted} were sorted, ${ended} ended at "no reply".`);
}
