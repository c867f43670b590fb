// Looks up the mail servers of an address, for a person who is about to connect it.
import { announce } from '#domain/record/event.ts';
import { Trial } from '#domain/secrets/trial.ts';
import type { TrialInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { lookUpMailServers } from './providers/mail-directory.ts';

export function createDiscovering({ database, keys }: Dependencies) {
  return {
    /** Always comes to a result: in the worst case a guess. */
    async lookUpMailServers({ tenantId, trialId }: TrialInput): Promise<void> {
      const { address } = await database.inTenant(tenantId, async (em) =>
        (await em.findOneOrFail(Trial, { id: trialId, kind: 'mail-servers' })).input<{ address: string }>(keys),
      );
      const found = await lookUpMailServers(address);
      await database.inTenant(tenantId, async (em) => {
        const trial = await em.findOneOrFail(Trial, { id: trialId });
        trial.conclude(keys, 'passed', found);
        announce(em, 'trial.concluded', null, { trialId });
      });
    },
  };
}
