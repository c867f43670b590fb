// Where the bytes of attachments lie: on local disk, under the tenant's folder and the digest of their content. A name
// from outside never becomes part of a path, and the same bytes are kept once per tenant.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { access, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

const PREVIEW = '.preview.webp';

export class AttachmentStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Keeps the bytes, whole or not at all, and returns their SHA-256 in hex. Keeping them twice is harmless. */
  async keep(tenantId: string, content: Buffer): Promise<string> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const file = this.#path(tenantId, sha256);
    if (!(await exists(file))) await writeWhole(file, content);
    return sha256;
  }

  read(tenantId: string, sha256: string): ReadStream {
    return createReadStream(this.#path(tenantId, sha256));
  }

  /** A picture made of these bytes; whoever loses it makes it again. */
  async keepPreview(tenantId: string, sha256: string, preview: Buffer): Promise<void> {
    await writeWhole(`${this.#path(tenantId, sha256)}${PREVIEW}`, preview);
  }

  async readPreview(tenantId: string, sha256: string): Promise<ReadStream | null> {
    const file = `${this.#path(tenantId, sha256)}${PREVIEW}`;
    return (await exists(file)) ? createReadStream(file) : null;
  }

  #path(tenantId: string, sha256: string): string {
    if (!/^[0-9a-f-]{36}$/.test(tenantId) || !/^[0-9a-f]{64}$/.test(sha256))
      throw new Error('Not a place of an attachment.');
    return path.join(this.#root, tenantId, sha256.slice(0, 2), sha256);
  }
}

async function writeWhole(file: string, content: Buffer): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const unfinished = `${file}.${randomUUID()}`;
  await writeFile(unfinished, content, { mode: 0o600, flush: true });
  await rename(unfinished, file);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
