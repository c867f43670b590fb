// Where the bytes of attachments lie: under their tenant and the digest of their content. A name from outside never
// becomes part of a place, and the same bytes are kept once per tenant. Every store has the same layout, so that files
// move from one to another by being copied.
import type { Readable } from 'node:stream';

/** Bytes that have been taken in and are not kept yet. */
export type ReceivedFile = {
  sha256: string;
  size: number;
  /** Where they lie on this machine, to be looked at. */
  path: string;
  keep: () => Promise<void>;
  discard: () => Promise<void>;
};

export type AttachmentStore = {
  /** Keeps the bytes, whole or not at all, and returns their SHA-256 in hex. Keeping them twice is harmless. */
  keep(tenantId: string, content: Buffer): Promise<string>;

  /** Takes bytes as they come, digesting them on the way; a stream that breaks leaves nothing behind. */
  receive(tenantId: string, stream: Readable): Promise<ReceivedFile>;

  has(tenantId: string, sha256: string): Promise<boolean>;

  /**
   * Removes bytes no row refers to, unless they were kept again since: whoever keeps bytes writes its row a moment later.
   * @param before what was last kept after this moment stays
   */
  removeUnused(tenantId: string, sha256: string, before: Date): Promise<void>;

  /** Fails as a stream does; `isMissing` tells whether the bytes are not there. */
  read(tenantId: string, sha256: string): Readable;

  /** A picture made of these bytes; whoever loses it makes it again. */
  keepPreview(tenantId: string, sha256: string, preview: Buffer): Promise<void>;

  readPreview(tenantId: string, sha256: string): Promise<Readable | null>;

  /** @throws StoreUnavailable when nothing can be kept here */
  check(): Promise<void>;
};

/** Nothing can be kept or read for now. The sentence names the store, never a file, and says what to do. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
  /** Waiting does not help: its settings or rights are wrong. */
  readonly needsPerson: boolean;

  constructor(message: string, needsPerson = false) {
    super(message);
    this.needsPerson = needsPerson;
  }
}

/** Whether an error of `read` means that there are no such bytes. Every store says it as a disk does. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
}

export function placeOf(tenantId: string, sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error('Not a place of an attachment.');
  return `${folderOf(tenantId)}/${sha256.slice(0, 2)}/${sha256}`;
}

export function previewPlaceOf(tenantId: string, sha256: string): string {
  return `${placeOf(tenantId, sha256)}.preview.webp`;
}

/** On this machine, for bytes that are not kept yet. */
export function unfinishedPlaceOf(tenantId: string, name: string): string {
  return `${folderOf(tenantId)}/unfinished/${name}`;
}

function folderOf(tenantId: string): string {
  if (!/^[0-9a-f-]{36}$/.test(tenantId)) throw new Error('Not a place of an attachment.');
  return tenantId;
}
