// Whether a company has a model to ask: it is switched on, and there is a key for it.
import type { EntityManager } from '@mikro-orm/postgresql';
import type { AnsweringSettings } from '#domain/tenancy/answering-settings.ts';
import { Credential } from './credential.ts';

export async function hasModel(em: EntityManager, settings: AnsweringSettings | null): Promise<boolean> {
  return settings?.modelEnabled === true && (await em.count(Credential, { name: 'model-key' })) > 0;
}

/** The same where the settings themselves are not needed: one statement. */
export async function mayAskModel(em: EntityManager): Promise<boolean> {
  const [row] = await em.execute<{ may: boolean }[]>(
    `select exists (select from answering_settings where model_enabled)
        and exists (select from credential where name = 'model-key') as may`,
  );
  return row?.may === true;
}
