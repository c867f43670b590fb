// The secrets a webhook may be signed with, remembered for a few seconds: a burst costs one look at the database, and a
// rotated or removed secret is noticed soon.

import type { Database } from '#domain/database/orm.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { Credential } from '#domain/secrets/credential.ts';
import type { KeyRing } from '#domain/secrets/key-ring.ts';

const REMEMBERED_MS = 5_000;
const MOST_REMEMBERED = 5_000;

export type KnownWebhook = { tenantId: string; secrets: string[] };

export class WebhookSecrets {
  readonly #database: Database;
  readonly #keys: KeyRing;
  readonly #known = new Map<string, { until: number; webhook: Promise<KnownWebhook | null> }>();

  constructor(database: Database, keys: KeyRing) {
    this.#database = database;
    this.#keys = keys;
  }

  /** null when there is no webhook of that id */
  of(integrationId: string): Promise<KnownWebhook | null> {
    const known = this.#known.get(integrationId);
    if (known && known.until > Date.now()) return known.webhook;
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    const webhook = this.#read(integrationId);
    this.#known.set(integrationId, { until: Date.now() + REMEMBERED_MS, webhook });
    webhook.catch(() => this.#known.delete(integrationId));
    return webhook;
  }

  async #read(integrationId: string): Promise<KnownWebhook | null> {
    if (!/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(integrationId)) return null;
    const [row] = await this.#database.outsideTenants<{ tenant_id: string | null }>(
      'select tenant_of_integration(?) as tenant_id',
      [integrationId],
    );
    const tenantId = row?.tenant_id;
    if (!tenantId) return null;
    return this.#database.inTenant(tenantId, async (em) => {
      const integration = await em.findOne(Integration, { id: integrationId, channel: 'webhook', removedAt: null });
      if (!integration) return null;
      const credentials = await em.find(Credential, {
        ownerId: integrationId,
        name: { $in: ['webhook-secret', 'webhook-secret-previous'] },
      });
      const secrets = credentials
        .filter((credential) => !credential.isOver())
        .map((credential) => credential.reveal(this.#keys));
      return { tenantId, secrets };
    });
  }
}
