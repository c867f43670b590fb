// The memory of the process that reads mailboxes, while it reads a large one. The runs of its mails are not waited for.
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchHouse } from './house.ts';
import { connectMailbox, type MailServers, makeMailbox } from './mailboxes.ts';
import { residentMegabytes } from './process-figures.ts';

export type MemorySample = { kept: number; megabytes: number };

const PARTS = 10;
const WITHIN_MS = 600_000;
const LOOK_EVERY_MS = 100;

/** @returns the highest of each tenth of the way */
export async function measureMemory(house: BenchHouse, servers: MailServers, mails: number): Promise<MemorySample[]> {
  const address = makeMailbox(servers, 'large', mails);
  const { id } = await connectMailbox(house, servers, address);
  const reader = house.pidOf('mailboxes');
  const samples: MemorySample[] = [];
  const began = Date.now();
  let highest = 0;
  for (let kept = 0; kept < mails; ) {
    if (Date.now() - began > WITHIN_MS) throw new Error(`Of ${mails} mails ${kept} were kept.`);
    await delay(LOOK_EVERY_MS);
    highest = Math.max(highest, residentMegabytes(reader));
    const { rows } = await house.owner.query('select count(*)::int as n from receipt where integration_id = $1', [id]);
    kept = rows[0].n;
    if (kept < ((samples.length + 1) * mails) / PARTS) continue;
    samples.push({ kept, megabytes: highest });
    highest = 0;
  }
  return samples;
}
