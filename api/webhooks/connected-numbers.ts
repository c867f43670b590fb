// Whose number a call may be for, with the secrets that could have signed it. Remembered for a few seconds: a burst
// costs one look at the database, and a changed secret or a new number is noticed soon.
import type { Database } from '#domain/database/orm.ts';
import { Integration } from '#domain/integrations/integration.ts';
import type { SignatureAlgorithm } from '#domain/rules/words.ts';
import { Credential } from '#domain/secrets/credential.ts';
import type { KeyRing } from '#domain/secrets/key-ring.ts';
import type { CallFacts } from './vonage-call.ts';

const REMEMBERED_MS = 5_000;
const MOST_REMEMBERED = 5_000;

export type TextChannel = 'sms' | 'whatsapp';

export type ConnectedNumber = {
  tenantId: string;
  integrationId: string;
  /** False when only the account is the same: the call is for a number that is not connected. */
  byNumber: boolean;
  apiKey: string;
  applicationId: string | null;
  algorithm: SignatureAlgorithm;
  /** The current one, and for a day the one before. */
  secrets: string[];
};

type Found = { integration_id: string; tenant_id: string; by_number: boolean };

export class ConnectedNumbers {
  readonly #database: Database;
  readonly #keys: KeyRing;
  readonly #known = new Map<string, { until: number; numbers: Promise<ConnectedNumber[]> }>();

  constructor(database: Database, keys: KeyRing) {
    this.#database = database;
    this.#keys = keys;
  }

  /**
   * Several where two companies typed the same number: the signature tells whose it is.
   * @param anew what is remembered did not fit: a secret may have been changed a moment ago
   */
  of(channel: TextChannel, { number, account, application }: CallFacts, anew = false): Promise<ConnectedNumber[]> {
    const key = JSON.stringify([channel, number, account, application]);
    const known = this.#known.get(key);
    if (!anew && known && known.until > Date.now()) return known.numbers;
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    const numbers = this.#read([channel, number ? `+${number}` : null, number, account, application]);
    this.#known.set(key, { until: Date.now() + REMEMBERED_MS, numbers });
    numbers.catch(() => this.#known.delete(key));
    return numbers;
  }

  async #read(call: (string | null)[]): Promise<ConnectedNumber[]> {
    const found = await this.#database.outsideTenants<Found>('select * from find_numbers(?, ?, ?, ?, ?)', call);
    return Promise.all(found.map((one) => this.#withSecrets(one)));
  }

  #withSecrets({ tenant_id: tenantId, integration_id: integrationId, by_number: byNumber }: Found) {
    return this.#database.inTenant(tenantId, async (em): Promise<ConnectedNumber> => {
      const integration = await em.findOneOrFail(Integration, { id: integrationId });
      const { apiKey, applicationId, signatureAlgorithm } = integration.numberSettings();
      const credentials = await em.find(Credential, {
        ownerId: integrationId,
        name: { $in: ['vonage-signature-secret', 'vonage-signature-secret-previous'] },
      });
      const secrets = credentials.filter((one) => !one.isOver()).map((one) => one.reveal(this.#keys));
      return { tenantId, integrationId, byNumber, apiKey, applicationId, algorithm: signatureAlgorithm, secrets };
    });
  }
}
