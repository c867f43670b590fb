// Where the bytes of attachments lie: on local disk, under the tenant's folder and the digest of their content. A name
// from outside never becomes part of a path, and the same bytes are kept once per tenant.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs';
import { access, mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Bytes that lie in the store and are not kept yet. */
export type ReceivedFile = {
  sha256: string;
  size: number;
  /** Where they lie now, to be looked at. */
  path: string;
  keep: () => Promise<void>;
  discard: () => Promise<void>;
};

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
    if (!(await isStillKept(file))) await writeWhole(file, content);
    return sha256;
  }

  /** Takes bytes as they come, digesting them on the way; a stream that breaks leaves nothing behind. */
  async receive(tenantId: string, stream: Readable): Promise<ReceivedFile> {
    const digest = createHash('sha256');
    let size = 0;
    const unfinished = this.#unfinished(tenantId);
    const discard = () => rm(unfinished, { force: true });
    await mkdir(path.dirname(unfinished), { recursive: true });
    try {
      await pipeline(
        stream,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            digest.update(chunk);
            size += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(unfinished, { mode: 0o600, flush: true }),
      );
    } catch (error) {
      await discard();
      throw error;
    }
    const sha256 = digest.digest('hex');
    const file = this.#path(tenantId, sha256);
    const keep = async () => {
      await mkdir(path.dirname(file), { recursive: true });
      await rename(unfinished, file);
    };
    return { sha256, size, path: unfinished, keep, discard };
  }

  async has(tenantId: string, sha256: string): Promise<boolean> {
    return exists(this.#path(tenantId, sha256));
  }

  /**
   * Removes bytes no row refers to, unless they were kept again since: whoever keeps bytes writes its row a moment later.
   * @param before what was last kept after this moment stays
   */
  async removeUnused(tenantId: string, sha256: string, before: Date): Promise<void> {
    const file = this.#path(tenantId, sha256);
    const leaving = this.#unfinished(tenantId);
    try {
      // Out of sight first: from here on, keeping them again writes them anew.
      await rename(file, leaving);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    if ((await stat(leaving)).mtime >= before) return rename(leaving, file);
    await rm(leaving);
    await rm(`${file}${PREVIEW}`, { force: true });
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
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error('Not a place of an attachment.');
    return path.join(this.#folder(tenantId), sha256.slice(0, 2), sha256);
  }

  #unfinished(tenantId: string): string {
    return path.join(this.#folder(tenantId), 'unfinished', randomUUID());
  }

  #folder(tenantId: string): string {
    if (!/^[0-9a-f-]{36}$/.test(tenantId)) throw new Error('Not a place of an attachment.');
    return path.join(this.#root, tenantId);
  }
}

async function writeWhole(file: string, content: Buffer): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const unfinished = `${file}.${randomUUID()}`;
  await writeFile(unfinished, content, { mode: 0o600, flush: true });
  await rename(unfinished, file);
}

// Touching it tells `removeUnused` that it has been kept again.
async function isStillKept(file: string): Promise<boolean> {
  const now = new Date();
  return utimes(file, now, now).then(
    () => true,
    () => false,
  );
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
