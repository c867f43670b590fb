// Older mail of a mailbox, page by page, so that what is new never waits for it. Whether a person has cancelled it stands
// in its row.
import { ActivityFailure, ApplicationFailure, continueAsNew } from '@temporalio/workflow';
import type { BackfillMailboxInput } from './contract.ts';
import { connection, database } from './steps.ts';

const PAGES_PER_EXECUTION = 100;

export async function backfillMailbox(backfill: BackfillMailboxInput): Promise<void> {
  let problem: string | null = null;
  try {
    for (let page = 0; page < PAGES_PER_EXECUTION; page += 1) {
      const { more } = await connection('Read a page of older mail').fetchOlderMail(backfill);
      if (!more) break;
      if (page === PAGES_PER_EXECUTION - 1) await continueAsNew<typeof backfillMailbox>(backfill);
    }
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    problem = error.cause instanceof ApplicationFailure ? error.cause.message : 'The connection was lost.';
  }
  await database(problem ? `Failed: ${problem}` : 'All of it is here').finishBackfill({ ...backfill, problem });
}
