// What is thought of a file of a message before anybody opens it: by its bytes first, for they are what a computer
// would run, then by its name. Nothing is unpacked to disk and nothing is executed.
import { CLEAN, type FileFinding, type FileReason, type FileVerdict, riskOfName } from '#domain/rules/file-verdict.ts';
import { Allowance, lookIntoArchive } from './archive.ts';
import type { IncomingAttachment } from './incoming-message.ts';

const LARGEST_LOOKED_AT_BYTES = 100_000_000;
const MOST_LOOKED_AT = 100;

/** One finding for each file, in their order. */
export async function judgeFiles(files: readonly IncomingAttachment[]): Promise<FileFinding[]> {
  const findings: FileFinding[] = [];
  const left = new Allowance();
  // One after the other: a mail of a hundred archives costs the memory of one.
  for (const [at, file] of files.entries()) {
    findings.push(at < MOST_LOOKED_AT ? await judgeFile(file, left) : found('too-many'));
  }
  return findings;
}

async function judgeFile({ name, type, content }: IncomingAttachment, left: Allowance): Promise<FileFinding> {
  const risk = riskOfContent(content, type) ?? riskOfName(name);
  if (risk) return found(risk);
  if (content.length > LARGEST_LOOKED_AT_BYTES) return found('too-large');
  return found(await lookIntoArchive(content, type, left));
}

/** Nothing bad was seen in these, but not everything was seen. */
const DOUBTS = new Set<FileReason>(['archive-encrypted', 'archive-unreadable', 'encrypted', 'too-large', 'too-many']);

function found(reason: FileReason | null): FileFinding {
  if (!reason) return CLEAN;
  const verdict: FileVerdict = DOUBTS.has(reason) ? 'unchecked' : 'blocked';
  return { verdict, reason };
}

const RISKY_TYPES: Record<string, FileReason> = {
  'application/x-msdownload': 'program',
  'application/vnd.microsoft.portable-executable': 'program',
  'application/x-elf': 'program',
  'application/x-mach-binary': 'program',
  'application/java-vm': 'program',
  'application/java-archive': 'program',
  'application/vnd.android.package-archive': 'program',
  'application/wasm': 'program',
  'application/x-deb': 'program',
  'application/x-rpm': 'program',
  'application/vnd.ms-htmlhelp': 'script',
  'application/x-ms-shortcut': 'shortcut',
  'application/x-ft-apple.alias': 'shortcut',
  'application/x-iso9660-image': 'disk-image',
  'application/x-apple-diskimage': 'disk-image',
  'application/vnd.ms-cab-compressed': 'disk-image',
};

const COMPOUND_FILE = Buffer.from('d0cf11e0a1b11ae1', 'hex');
/** {000C1084-0000-0000-C000-000000000046}, the class of an installer's root storage. */
const INSTALLER_CLASS = Buffer.from('84100c0000000000c000000000000046', 'hex');
const SHEBANG = /^(\uFEFF|\xEF\xBB\xBF)?#! ?\//;

function riskOfContent(content: Buffer, type: string): FileReason | null {
  if (RISKY_TYPES[type] || type.includes('macroenabled')) return RISKY_TYPES[type] ?? 'macros';
  if (SHEBANG.test(content.subarray(0, 8).toString('latin1'))) return 'script';
  if (!content.subarray(0, COMPOUND_FILE.length).equals(COMPOUND_FILE)) return null;
  // The names of its streams stand in its directory in UTF-16 (MS-CFB 2.6.1): Word, Excel and installers of before 2007.
  if (content.includes(INSTALLER_CLASS)) return 'program';
  if (holdsStream(content, '_VBA_PROJECT')) return 'macros';
  return holdsStream(content, 'EncryptedPackage') ? 'encrypted' : null;
}

function holdsStream(content: Buffer, name: string): boolean {
  return content.includes(Buffer.from(name, 'utf16le'));
}
