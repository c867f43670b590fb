// Brings the schedule of a mailbox in line with what its row says.
import type { ApplyIntegrationInput } from './contract.ts';
import { schedules } from './steps.ts';

export async function applyIntegration(integration: ApplyIntegrationInput): Promise<void> {
  await schedules('Make, change, pause or remove the schedule of the mailbox').applyIntegration(integration);
}
