// New mail is seen within seconds: one mailbox is watched for as long as it is connected, one connection a run.
import { ActivityFailure, continueAsNew, isCancellation, sleep, TimeoutFailure } from '@temporalio/workflow';
import type { WatchEnd } from '#activities/watching.ts';
import type { WatchMailboxInput } from './contract.ts';
import { watching } from './steps.ts';

/** What lasted so long was no failure: the next loss is the first one again. */
const STEADY_MS = 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;

export async function watchMailbox({ losses, ...mailbox }: WatchMailboxInput): Promise<WatchEnd> {
  const began = Date.now();
  const end = await watch(mailbox);
  if (end === 'worker-died') {
    // No fault of the server: the more often it happens, the less it may cost.
    await sleep(waitAfter(0), { summary: 'Its worker died: give the next one a moment' });
    return continueAsNew<typeof watchMailbox>({ ...mailbox, losses });
  }
  if (end !== 'lost') return end;
  const before = Date.now() - began > STEADY_MS ? 0 : losses;
  await sleep(waitAfter(before), { summary: 'Leave the server alone for a moment' });
  return continueAsNew<typeof watchMailbox>({ ...mailbox, losses: before + 1 });
}

async function watch(mailbox: Omit<WatchMailboxInput, 'losses'>): Promise<WatchEnd | 'worker-died'> {
  try {
    return await watching('Wait for new mail').watchMailbox(mailbox);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    // Whatever is wrong, the schedule says so, and the watch begins again.
    return error.cause instanceof TimeoutFailure ? 'worker-died' : 'lost';
  }
}

// Mailboxes of one server that lost their connections together must not all come back together.
function waitAfter(losses: number): number {
  const most = Math.min(FIRST_WAIT_MS * 2 ** losses, LONGEST_WAIT_MS);
  return Math.round(most / 2 + Math.random() * most);
}
