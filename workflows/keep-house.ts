// Every minute, for every company: remind of what was committed and never begun, forget what has had its time.
import { database } from './steps.ts';

export async function keepHouse(): Promise<void> {
  for (const tenantId of await database('Which companies are there?').listTenants()) {
    await database('Ask again for what was forgotten').remindOfForgotten({ tenantId });
    await database('Forget what has expired').forgetExpired({ tenantId });
  }
}
