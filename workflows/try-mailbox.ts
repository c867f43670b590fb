// A trial: what somebody typed is tried on the real servers, before anything is saved.
import type { TrialInput } from './contract.ts';
import { connection } from './steps.ts';

export async function tryMailbox(trial: TrialInput): Promise<void> {
  await connection('Log in to both servers and read the last ten mails').tryMailbox(trial);
}
