// The processor time, in the process that reads mailboxes, of one look at a mailbox where nothing is new. What the process
// takes while it does nothing is taken off.
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { TASK_QUEUES, WORKFLOWS } from '#workflows/contract.ts';
import type { BenchHouse } from './house.ts';
import { connectMailbox, type MailServers, makeMailbox } from './mailboxes.ts';
import { cpuMs } from './process-figures.ts';

export type LooksTook = { mails: number; cpuMs: number[] };

const ROUNDS = 3;
const NOT_COUNTED = 10;
const IDLE_MS = 3_000;

/** All sizes in turn, so that a busy moment of the machine falls on each of them. */
export async function measureLooks(
  house: BenchHouse,
  servers: MailServers,
  size: { mails: readonly number[]; looks: number },
): Promise<LooksTook[]> {
  const boxes: { id: string; took: LooksTook }[] = [];
  for (const mails of size.mails) {
    const address = makeMailbox(servers, `unchanged-${mails}`, mails);
    // Everything in it is older than the day it is read from: the first look finds nothing either.
    const { id } = await connectMailbox(house, servers, address, tomorrow());
    boxes.push({ id, took: { mails, cpuMs: [] } });
  }
  for (const { id } of boxes) await looks(house, id, NOT_COUNTED);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { id, took } of boxes) took.cpuMs.push(await cpuOfOne(house, id, size.looks));
  }
  return boxes.map(({ took }) => took);
}

function tomorrow(): string {
  return new Date(Date.now() + 2 * 24 * 3600_000).toISOString().slice(0, 10);
}

async function cpuOfOne(house: BenchHouse, id: string, count: number): Promise<number> {
  const reader = house.pidOf('mailboxes');
  const idleBefore = cpuMs(reader);
  await delay(IDLE_MS);
  const idlePerMs = (cpuMs(reader) - idleBefore) / IDLE_MS;
  const before = cpuMs(reader);
  const began = Date.now();
  await looks(house, id, count);
  return (cpuMs(reader) - before - idlePerMs * (Date.now() - began)) / count;
}

/** One after the other, as the schedule starts them. */
async function looks({ temporal, company }: BenchHouse, integrationId: string, count: number): Promise<void> {
  for (let look = 0; look < count; look += 1) {
    const end = await temporal.workflow.execute(WORKFLOWS.syncMailbox, {
      args: [{ tenantId: company.tenantId, integrationId }],
      workflowId: `look/${newId()}`,
      taskQueue: TASK_QUEUES.inbox,
    });
    if (end === 'skipped' || (end as { seen: number }).seen > 0)
      throw new Error(`A look ended as ${JSON.stringify(end)}.`);
  }
}
