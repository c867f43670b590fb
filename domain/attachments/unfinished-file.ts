// Bytes on their way in: written to a file of this machine under a name of ours, and digested while they come.
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ReceivedFile, unfinishedPlaceOf } from './attachment-store.ts';

export type UnfinishedFile = Omit<ReceivedFile, 'keep'>;

/** A stream that breaks leaves no file behind. */
export async function writeUnfinished(root: string, tenantId: string, stream: Readable): Promise<UnfinishedFile> {
  const file = path.join(root, unfinishedPlaceOf(tenantId, randomUUID()));
  const digest = createHash('sha256');
  let size = 0;
  const discard = () => rm(file, { force: true });
  await mkdir(path.dirname(file), { recursive: true });
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
      createWriteStream(file, { mode: 0o600, flush: true }),
    );
  } catch (error) {
    await discard();
    throw error;
  }
  return { sha256: digest.digest('hex'), size, path: file, discard };
}
