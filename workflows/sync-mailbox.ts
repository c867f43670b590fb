// One look at one mailbox, started by its schedule or by hand.
import { ActivityFailure, ApplicationFailure, uuid4 } from '@temporalio/workflow';
import type { SyncRef } from '#activities/keep-mails.ts';
import type { SyncEnd } from '#activities/mailbox.ts';
import { startReclassifyFolderless } from './children.ts';
import type { SyncMailboxInput } from './contract.ts';
import { connection, database } from './steps.ts';

// Trying again by itself would only lock the account. Everything else (a name server that is down, a certificate that
// ran out, a folder that was renamed) is said on the mailbox's page and tried again at the next look. A consent that was
// taken back is dealt with where its renewal fails: by then it may have been given again.
const NEEDS_PERSON = 'mailbox-refused-credentials';

export async function syncMailbox(input: SyncMailboxInput): Promise<SyncEnd | 'skipped'> {
  const { tenantId, integrationId } = input;
  const sync = { tenantId, integrationId, syncId: input.syncId ?? uuid4(), byHand: input.syncId !== undefined };
  const begun = await database('Is the mailbox free to be read?').beginSync(sync);
  if (!begun) return 'skipped';
  const { end, problem } = await fetchNewMail(sync);
  await database(problem ? `Failed: ${problem.message}` : `${end.kept} new of ${end.seen} seen`).finishSync({
    ...sync,
    problem: problem?.message ?? null,
    needsPerson: problem?.type === NEEDS_PERSON,
  });
  if (end.kept > 0 || sync.byHand) await startReclassifyFolderless(tenantId);
  return end;
}

async function fetchNewMail(sync: SyncRef) {
  try {
    return { end: await connection('Read what is new in the mailbox').fetchNewMail(sync), problem: null };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const cause = error.cause instanceof ApplicationFailure ? error.cause : null;
    const problem = {
      type: cause?.type ?? 'mailbox-unreachable',
      message: cause?.message ?? 'The connection was lost.',
    };
    return { end: { seen: 0, kept: 0 }, problem };
  }
}
