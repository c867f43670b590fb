// The files of attachments on a local disk. What is written appears under its place by a rename, and so whole.
import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import {
  type AttachmentStore,
  placeOf,
  previewPlaceOf,
  type ReceivedFile,
  StoreUnavailable,
  unfinishedPlaceOf,
} from './attachment-store.ts';
import { writeUnfinished } from './unfinished-file.ts';

export class DiskStore implements AttachmentStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async keep(tenantId: string, content: Buffer): Promise<string> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const file = this.#file(tenantId, sha256);
    if (!(await isStillKept(file))) await writeWhole(file, content);
    return sha256;
  }

  async receive(tenantId: string, stream: Readable): Promise<ReceivedFile> {
    const unfinished = await writeUnfinished(this.#root, tenantId, stream);
    const file = this.#file(tenantId, unfinished.sha256);
    const keep = async () => {
      await mkdir(path.dirname(file), { recursive: true });
      await rename(unfinished.path, file);
    };
    return { ...unfinished, keep };
  }

  async has(tenantId: string, sha256: string): Promise<boolean> {
    return exists(this.#file(tenantId, sha256));
  }

  async removeUnused(tenantId: string, sha256: string, before: Date): Promise<void> {
    const file = this.#file(tenantId, sha256);
    const leaving = path.join(this.#root, unfinishedPlaceOf(tenantId, randomUUID()));
    await mkdir(path.dirname(leaving), { recursive: true });
    try {
      // Out of sight first: from here on, keeping them again writes them anew.
      await rename(file, leaving);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    if ((await stat(leaving)).mtime >= before) return rename(leaving, file);
    await rm(leaving);
    await rm(this.#preview(tenantId, sha256), { force: true });
  }

  read(tenantId: string, sha256: string): Readable {
    return createReadStream(this.#file(tenantId, sha256));
  }

  async keepPreview(tenantId: string, sha256: string, preview: Buffer): Promise<void> {
    await writeWhole(this.#preview(tenantId, sha256), preview);
  }

  async readPreview(tenantId: string, sha256: string): Promise<Readable | null> {
    const file = this.#preview(tenantId, sha256);
    return (await exists(file)) ? createReadStream(file) : null;
  }

  async check(): Promise<void> {
    try {
      await mkdir(this.#root, { recursive: true });
      await access(this.#root, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new StoreUnavailable(`STORAGE_PATH, ${this.#root}, is no folder that can be written to (${code}).`, true);
    }
  }

  #file(tenantId: string, sha256: string): string {
    return path.join(this.#root, placeOf(tenantId, sha256));
  }

  #preview(tenantId: string, sha256: string): string {
    return path.join(this.#root, previewPlaceOf(tenantId, sha256));
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
