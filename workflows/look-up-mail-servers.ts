// Where the mail of an address is kept, asked of the network before anybody types it.
import type { TrialInput } from './contract.ts';
import { connection } from './steps.ts';

export async function lookUpMailServers(trial: TrialInput): Promise<void> {
  await connection('Ask the domain, Mozilla’s list and DNS for the servers').lookUpMailServers(trial);
}
