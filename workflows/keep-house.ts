// Every minute, for every company: remind of what was committed and never begun, forget what has had its time.
import { ActivityFailure } from '@temporalio/workflow';
import { database, fewTries } from './steps.ts';

export async function keepHouse(): Promise<void> {
  for (const tenantId of await database('Which companies are there?').listTenants()) {
    try {
      await fewTries('Ask again for what was forgotten').remindOfForgotten({ tenantId });
      await fewTries('Forget what has expired').forgetExpired({ tenantId });
    } catch (error) {
      // The others must not wait for a company whose rows make trouble; it has its turn again in a minute.
      if (!(error instanceof ActivityFailure)) throw error;
    }
  }
}
