// A mailbox waits for a person: its admins are written to, once, however long the mail server of the installation is away.
import type { LostMailboxInput } from './contract.ts';
import { notice } from './steps.ts';

export async function tellOfLostMailbox(mailbox: LostMailboxInput): Promise<void> {
  await notice('Write to the admins that the mailbox must be connected again').tellOfLostMailbox(mailbox);
}
