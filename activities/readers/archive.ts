// Looks into an archive without unpacking it: names, sizes and flags from the central directory of a ZIP, a bounded
// inflation of gzip and of archives within. Work and memory have a limit of their own, whatever the archive claims.
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import { type FileReason, riskOfName } from '#domain/rules/file-verdict.ts';

const MOST_ENTRIES = 10_000;
/** Text shrinks to a twentieth at best; what grows a hundredfold was made to grow. */
const HIGHEST_RATIO = 100;
/** Below this even a high ratio fills no disk. */
const HARMLESS_BYTES = 50_000_000;
const LARGEST_INNER_BYTES = 10_000_000;
const MOST_INFLATED_BYTES = 200_000_000;
const DEEPEST = 2;
const INNER_ARCHIVE = /\.(zip|gz|tgz|bz2|xz|zst|7z|rar|tar|cab|arj|lzh|ace)$/i;

const ZIP = Buffer.from('PK\x03\x04', 'latin1');
const EMPTY_ZIP = Buffer.from('PK\x05\x06', 'latin1');
const GZIP = Buffer.from([0x1f, 0x8b]);
const CLOSED_KINDS = new Set([
  'application/x-7z-compressed',
  'application/x-rar-compressed',
  'application/vnd.rar',
  'application/x-lzh-compressed',
  'application/x-ace-compressed',
  'application/x-arj',
]);

/** What the files of one message may still cost together: reading a mail takes seconds, whatever is in it. */
export class Allowance {
  innerBytes = LARGEST_INNER_BYTES;
  inflatedBytes = MOST_INFLATED_BYTES;
}

type Inside = { depth: number; entries: number; left: Allowance };

/** @returns null for what is no archive, or one with nothing in it to warn of */
export function lookIntoArchive(content: Buffer, type: string, left: Allowance): Promise<FileReason | null> {
  return look(content, type, { depth: 1, entries: 0, left });
}

async function look(content: Buffer, type: string, inside: Inside): Promise<FileReason | null> {
  if (starts(content, ZIP) || starts(content, EMPTY_ZIP)) return lookIntoZip(content, inside);
  if (starts(content, GZIP)) return lookIntoGzip(content, inside.left);
  return CLOSED_KINDS.has(type) ? 'archive-unreadable' : null;
}

async function lookIntoZip(content: Buffer, inside: Inside): Promise<FileReason | null> {
  try {
    // Names stay bytes: a path that leads out of the archive is a warning here, no reason to look away.
    const zip = await fromBufferPromise(content, { lazyEntries: true, decodeStrings: false });
    inside.entries += zip.entryCount;
    if (inside.entries > MOST_ENTRIES) return 'archive-bomb';
    const entries: Entry[] = [];
    for await (const entry of zip.eachEntry()) entries.push(entry);
    const size = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0);
    if (size > HARMLESS_BYTES && size > content.length * HIGHEST_RATIO) return 'archive-bomb';
    return await worstOf(zip, entries, inside);
  } catch {
    return 'archive-unreadable';
  }
}

async function worstOf(zip: ZipFile, entries: Entry[], inside: Inside): Promise<FileReason | null> {
  const names = entries.map((entry) => entry.fileNameRaw.toString());
  if (names.some((name) => /(^|\/)(vbaProject\.bin$|macrosheets\/)/i.test(name))) return 'macros';
  if (names.some(isRisky)) return 'archive-program';
  let doubt: FileReason | null = entries.some((entry) => entry.isEncrypted()) ? 'archive-encrypted' : null;
  for (const entry of entries) {
    if (entry.isEncrypted() || !INNER_ARCHIVE.test(entry.fileNameRaw.toString())) continue;
    const found = inside.depth >= DEEPEST ? 'archive-nested' : await lookIntoInner(zip, entry, inside);
    if (found && !isDoubt(found)) return found;
    doubt ??= found;
  }
  return doubt;
}

async function lookIntoInner(zip: ZipFile, entry: Entry, inside: Inside): Promise<FileReason | null> {
  inside.left.innerBytes -= entry.uncompressedSize;
  if (inside.left.innerBytes < 0) return 'archive-unreadable';
  // The reader stops when there is more than the directory says.
  const inner = await buffer(await zip.openReadStreamPromise(entry));
  inside.depth += 1;
  try {
    return await look(inner, typeOfName(entry.fileNameRaw.toString()), inside);
  } finally {
    inside.depth -= 1;
  }
}

/** Somebody should look, but nothing was seen. */
function isDoubt(reason: FileReason): boolean {
  return reason === 'archive-encrypted' || reason === 'archive-unreadable';
}

function isRisky(name: string): boolean {
  return riskOfName(name.split(/[/\\]/).at(-1)!) !== null;
}

function typeOfName(name: string): string {
  return /\.(7z|rar|cab|arj|lzh|ace|bz2|xz|zst)$/i.test(name) ? 'application/x-7z-compressed' : '';
}

// Counted chunk by chunk and thrown away: nothing of it is held.
async function lookIntoGzip(content: Buffer, left: Allowance): Promise<FileReason | null> {
  const inflating = createGunzip();
  inflating.end(content);
  let size = 0;
  try {
    for await (const chunk of inflating as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > HARMLESS_BYTES && size > content.length * HIGHEST_RATIO) return 'archive-bomb';
      left.inflatedBytes -= chunk.length;
      if (left.inflatedBytes < 0) return 'archive-unreadable';
    }
    return null;
  } catch {
    return 'archive-unreadable';
  }
}

function starts(content: Buffer, magic: Buffer): boolean {
  return content.subarray(0, magic.length).equals(magic);
}
