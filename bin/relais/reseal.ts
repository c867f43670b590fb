// Key rotation in three steps, none of which stops anything (docs/decisions/0010-sealed-secrets.md): the new key is made
// known to every process among ENCRYPTION_KEYS_PREVIOUS, then becomes ENCRYPTION_KEY with the old one among the previous
// ones, then everything is sealed again here. After that the old key can go.
import { z } from 'zod';
import { commonSettings, readConfiguration } from '#domain/configuration.ts';
import { Database } from '#domain/database/orm.ts';
import { KeyRing } from '#domain/secrets/key-ring.ts';
import { resealTenant } from '#domain/secrets/reseal.ts';
import { say } from '../house/progress.ts';
import { installationSettings } from './installation-settings.ts';

const { DATABASE_URL, ENCRYPTION_KEY, ENCRYPTION_KEYS_PREVIOUS } = commonSettings;
const settings = z.object({ DATABASE_URL, ENCRYPTION_KEY, ENCRYPTION_KEYS_PREVIOUS });

export async function resealEverything(): Promise<void> {
  const config = readConfiguration(settings, installationSettings());
  const keys = new KeyRing(config.ENCRYPTION_KEY, config.ENCRYPTION_KEYS_PREVIOUS);
  const database = await Database.open({ url: config.DATABASE_URL, poolSize: 2 });
  try {
    const tenants = await database.outsideTenants<{ id: string }>('select id from list_tenants() as id');
    let resealed = 0;
    for (const { id } of tenants) {
      resealed += await database.inTenant(id, (em) => resealTenant(em, keys));
    }
    say(
      `${resealed} secrets of ${tenants.length} companies were sealed again; the others were under this key already.`,
    );
  } finally {
    await database.close();
  }
}
