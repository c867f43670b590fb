// AES-256-GCM for what must not be read from a stolen database: passwords, tokens, API keys (NIST SP 800-38D).
// A sealed value names its key, so that several keys can be open at once while a rotation runs; the place it was
// sealed for (tenant, table, column, row) is associated data, so that a value copied elsewhere does not open.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const FORMAT = 'v1';

export type SealedPlace = { tenantId: string; table: string; column: string; row: string };

type SealingKey = { id: string; bytes: Buffer };

export class KeyRing {
  readonly #current: SealingKey;
  readonly #byId: Map<string, SealingKey>;

  /**
   * @param current base64 of 32 bytes; new values are sealed with it
   * @param previous keys that still open older values while a rotation runs
   */
  constructor(current: string, previous: readonly string[] = []) {
    this.#current = sealingKey(current);
    this.#byId = new Map([...previous.map(sealingKey), this.#current].map((key) => [key.id, key]));
  }

  get currentKeyId(): string {
    return this.#current.id;
  }

  /** Seals UTF-8 text for one place. The result is `v1.<key id>.<nonce, ciphertext and tag in base64url>`. */
  seal(place: SealedPlace, plaintext: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#current.bytes, nonce);
    cipher.setAAD(associatedData(place));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return `${FORMAT}.${this.#current.id}.${Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]).toString('base64url')}`;
  }

  /** @throws SealBroken when the key is unknown, the value was altered, or it was sealed for another place */
  open(place: SealedPlace, sealed: string): string {
    const [format, keyId, body] = sealed.split('.');
    const key = this.#byId.get(keyId ?? '');
    if (format !== FORMAT || body === undefined) throw new SealBroken('This value is not in the sealed format.');
    if (!key) throw new SealBroken(`No key ${keyId} is loaded: add it to ENCRYPTION_KEYS_PREVIOUS.`);
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(associatedData(place));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([opened, decipher.final()]).toString('utf8');
    } catch {
      throw new SealBroken('The value was altered, or it was sealed for another tenant, table, column or row.');
    }
  }

  /** The id of the key a value was sealed with: what a rotation still has to do. */
  static keyIdOf(sealed: string): string {
    return sealed.split('.')[1] ?? '';
  }
}

export class SealBroken extends Error {
  override name = 'SealBroken';
}

function sealingKey(base64: string): SealingKey {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== KEY_BYTES) throw new Error(`An encryption key must be ${KEY_BYTES} bytes in base64.`);
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
}

// Length-prefixed, so that no two different places give the same bytes.
function associatedData(place: SealedPlace): Buffer {
  const parts = [place.tenantId, place.table, place.column, place.row];
  return Buffer.from(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join('|'));
}
