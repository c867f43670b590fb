// Pictures as the thread shows them: decoded and written anew as WebP, so that nothing of the sender's bytes, nor where a
// photo was taken, reaches a browser unasked. Made once and kept beside the original.
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';

const PREVIEWED = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/tiff']);
const LONGEST_SIDE = 1600;
/** More than any camera; a decoded picture takes four bytes for each. */
const MOST_PIXELS = 60_000_000;
const LONGEST_SECONDS = 10;
const QUALITY = 80;

// Of all that the library reads, only these have a business here: SVG fetches, PDF runs.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Png', 'Jpeg', 'Nsgif', 'Webp', 'Heif', 'Tiff'].map((format) => `VipsForeignLoad${format}`),
});
sharp.cache(false);
sharp.concurrency(1);

export function hasPreview(type: string): boolean {
  return PREVIEWED.has(type);
}

export class Previews {
  readonly #attachments: AttachmentStore;
  /** One picture after the other: many large ones at once would take the memory of all. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(attachments: AttachmentStore) {
    this.#attachments = attachments;
  }

  /** @returns the picture as WebP, or null when it is damaged, or too large to be decoded */
  async of(tenantId: string, sha256: string): Promise<Readable | null> {
    const kept = await this.#attachments.readPreview(tenantId, sha256);
    if (kept) return kept;
    const mine = this.#turn.then(() => this.#make(tenantId, sha256));
    this.#turn = mine.catch(() => {});
    return (await mine) ? this.#attachments.readPreview(tenantId, sha256) : null;
  }

  async #make(tenantId: string, sha256: string): Promise<boolean> {
    const original = await buffer(this.#attachments.read(tenantId, sha256));
    const preview = await shrink(original).catch(() => null);
    if (preview) await this.#attachments.keepPreview(tenantId, sha256, preview);
    return preview !== null;
  }
}

/** The first picture of an animation; upright, as its camera was held. */
function shrink(original: Buffer): Promise<Buffer> {
  return sharp(original, { limitInputPixels: MOST_PIXELS, failOn: 'error' })
    .timeout({ seconds: LONGEST_SECONDS })
    .autoOrient()
    .resize({ width: LONGEST_SIDE, height: LONGEST_SIDE, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: QUALITY })
    .toBuffer();
}
