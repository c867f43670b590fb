// The files of attachments in an S3-compatible store. S3 has no rename, so that removing what nobody needs and keeping the
// same bytes again could cross. Whoever removes leaves a mark beside the object first, looks at its age, and takes the mark
// away last. Whoever keeps knows the object to be new, then sees no mark, and then sees the object: a removal that began
// later finds it new, and one that began before has ended.
import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AttachmentStore,
  placeOf,
  previewPlaceOf,
  type ReceivedFile,
  StoreUnavailable,
} from './attachment-store.ts';
import { S3Bucket } from './s3-bucket.ts';
import type { S3Settings } from './storage-settings.ts';
import { writeUnfinished } from './unfinished-file.ts';

const HALF_AN_HOUR_MS = 30 * 60_000;
/** Bytes that were put within it are not put again... */
const FRESH_FOR_MS = HALF_AN_HOUR_MS;
/** ...and not removed: longer by more than the quarter of an hour by which clocks may differ for S3. */
const STAYS_FOR_MS = 2 * HALF_AN_HOUR_MS;
/** S3 tells times by the second. */
const CLOCK_STEP_MS = 1_000;
/** The mark of a process that died while it removed: none takes as long, whatever the clocks say. */
const MARK_COUNTS_FOR_MS = HALF_AN_HOUR_MS;
const WAIT_FOR_REMOVAL_MS = 10_000;
const LOOK_AGAIN_MS = 100;

const NOTHING = Buffer.alloc(0);

export class S3Store implements AttachmentStore {
  readonly #bucket: S3Bucket;
  readonly #local: string;
  readonly #waitForRemovalMs: number;

  /** @param local a folder of this machine for what is coming in */
  constructor(settings: S3Settings, local: string, waitForRemovalMs = WAIT_FOR_REMOVAL_MS) {
    this.#bucket = new S3Bucket(settings);
    this.#local = local;
    this.#waitForRemovalMs = waitForRemovalMs;
  }

  async keep(tenantId: string, content: Buffer): Promise<string> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const place = placeOf(tenantId, sha256);
    await this.#keepAt(place, () => this.#bucket.put(place, content));
    return sha256;
  }

  async receive(tenantId: string, stream: Readable): Promise<ReceivedFile> {
    const unfinished = await writeUnfinished(this.#local, tenantId, stream);
    const place = placeOf(tenantId, unfinished.sha256);
    const keep = async () => {
      await this.#keepAt(place, () => this.#bucket.upload(place, unfinished.path));
      await unfinished.discard();
    };
    return { ...unfinished, keep };
  }

  async has(tenantId: string, sha256: string): Promise<boolean> {
    return (await this.#bucket.lastModified(placeOf(tenantId, sha256))) !== null;
  }

  async removeUnused(tenantId: string, sha256: string, before: Date): Promise<void> {
    const place = placeOf(tenantId, sha256);
    const mark = `${marksOf(place)}${randomUUID()}`;
    await this.#bucket.put(mark, NOTHING);
    const keptAt = await this.#bucket.lastModified(place);
    if (!keptAt || isKeptSince(keptAt, before)) {
      await this.#bucket.remove(mark);
      return;
    }
    await this.#bucket.remove(previewPlaceOf(tenantId, sha256));
    // While a try of it may still arrive, and after an error, the mark stays until it no longer counts.
    if (await this.#bucket.remove(place)) await this.#bucket.remove(mark);
  }

  read(tenantId: string, sha256: string): Readable {
    return this.#bucket.read(placeOf(tenantId, sha256));
  }

  async keepPreview(tenantId: string, sha256: string, preview: Buffer): Promise<void> {
    await this.#bucket.put(previewPlaceOf(tenantId, sha256), preview);
  }

  async readPreview(tenantId: string, sha256: string): Promise<Readable | null> {
    const place = previewPlaceOf(tenantId, sha256);
    return (await this.#bucket.lastModified(place)) ? this.#bucket.read(place) : null;
  }

  /** Lists, writes, reads and removes, so that no right is found missing later. */
  async check(): Promise<void> {
    const trial = `start-check/${randomUUID()}`;
    await this.#bucket.list(trial);
    await this.#bucket.put(trial, NOTHING);
    await this.#bucket.lastModified(trial);
    await this.#bucket.remove(trial);
  }

  /** Keeping anew what is there also tells `removeUnused` that it has been kept again. */
  async #keepAt(place: string, put: () => Promise<void>): Promise<void> {
    const keptAt = await this.#bucket.lastModified(place);
    let isFresh = keptAt !== null && ageOf(keptAt) < FRESH_FOR_MS;
    for (;;) {
      if (!isFresh) await put();
      await this.#untilNobodyRemoves(place);
      if (await this.#bucket.lastModified(place)) return;
      isFresh = false;
    }
  }

  async #untilNobodyRemoves(place: string): Promise<void> {
    const giveUpAt = Date.now() + this.#waitForRemovalMs;
    for (;;) {
      const marks = await this.#bucket.list(marksOf(place));
      if (marks.every(({ lastModified }) => ageOf(lastModified) > MARK_COUNTS_FOR_MS)) return;
      if (Date.now() > giveUpAt) throw new StoreUnavailable('The file store still removes an older copy of a file.');
      await delay(LOOK_AGAIN_MS);
    }
  }
}

/** Whoever removes has a mark of its own: two may do so at once. */
function marksOf(place: string): string {
  return `${place}.leaving/`;
}

function isKeptSince(keptAt: Date, before: Date): boolean {
  return keptAt.getTime() + CLOCK_STEP_MS > Math.min(before.getTime(), Date.now() - STAYS_FOR_MS);
}

function ageOf(moment: Date): number {
  return Date.now() - moment.getTime();
}
