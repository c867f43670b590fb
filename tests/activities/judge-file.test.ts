import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeFiles } from '#activities/readers/judge-file.ts';
import { type FileFinding, riskOfName } from '#domain/rules/file-verdict.ts';
import { zip } from '../support/archives.ts';

type File = { name?: string; type?: string; content: Buffer | string };

async function judge(file: File): Promise<FileFinding> {
  const [finding] = await judgeFiles([whole(file)]);
  return finding!;
}

const whole = ({ name = 'fichier', type = 'application/octet-stream', content }: File) => ({
  name,
  type,
  content: Buffer.from(content),
  contentId: null,
  inline: false,
});

const CLEAN = { verdict: 'clean', reason: null };
const COMPOUND = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const stream = (name: string) => Buffer.concat([COMPOUND, Buffer.alloc(600), Buffer.from(name, 'utf16le')]);

describe('a name', () => {
  test.each([
    ['facture.exe', 'program'],
    ['FACTURE.EXE', 'program'],
    ['facture.exe. .', 'program'],
    ['facture.pdf.exe', 'double-extension'],
    ['facture.pdf          .scr', 'double-extension'],
    ['page.pdf.html', 'double-extension'],
    ['run.ps1', 'script'],
    ['Facture.pdf.lnk', 'double-extension'],
    ['lien.url', 'shortcut'],
    ['disque.iso', 'disk-image'],
    ['budget.xlsm', 'macros'],
  ])('like %s is blocked', (name, reason) => {
    expect(riskOfName(name)).toBe(reason);
  });

  test.each([
    'facture.pdf',
    'rapport.v2.pdf',
    'exe',
    'photo',
    'page.html',
    'a.b.c.txt',
    'données.zip',
    '.htaccess',
    'sauvegarde.tar.gz',
  ])('like %s is nothing special', (name) => {
    expect(riskOfName(name)).toBeNull();
  });
});

describe('the bytes of a file', () => {
  test.each<[string, File, string]>([
    ['a program called a picture', { name: 'photo.jpg', type: 'application/x-msdownload', content: 'MZ' }, 'program'],
    ['a script without an extension', { name: 'lisez-moi', content: '#!/bin/sh\nrm -rf ~' }, 'script'],
    ['an old document with macros', { name: 'lettre.doc', content: stream('_VBA_PROJECT') }, 'macros'],
    [
      'an installer called a document',
      {
        name: 'lettre.doc',
        content: Buffer.concat([COMPOUND, Buffer.from('84100c0000000000c000000000000046', 'hex')]),
      },
      'program',
    ],
    [
      'a new document with macros called one without',
      { name: 'lettre.docx', content: zip([{ name: '[Content_Types].xml' }, { name: 'word/vbaProject.bin' }]) },
      'macros',
    ],
  ])('tell of %s', async (_name, file, reason) => {
    expect(await judge(file)).toEqual({ verdict: 'blocked', reason });
  });

  test('leave a document alone', async () => {
    const docx = zip([{ name: '[Content_Types].xml', content: '<Types/>' }, { name: 'word/document.xml' }]);
    expect(await judge({ name: 'lettre.docx', content: docx })).toEqual(CLEAN);
    expect(await judge({ name: 'lettre.doc', content: stream('WordDocument') })).toEqual(CLEAN);
    expect(await judge({ name: 'note.txt', content: 'Bonjour' })).toEqual(CLEAN);
  });

  test('say when a document is locked', async () => {
    const locked = stream('EncryptedPackage');
    expect(await judge({ name: 'devis.xlsx', content: locked })).toEqual({ verdict: 'unchecked', reason: 'encrypted' });
  });
});

describe('an archive', () => {
  const photos = zip([{ name: 'photos/un.jpg', content: 'x' }]);

  test('of ordinary files is clean, and so is one in it', async () => {
    expect(await judge({ name: 'photos.zip', content: photos })).toEqual(CLEAN);
    expect(await judge({ name: 'a.zip', content: zip([{ name: 'photos.zip', content: photos }]) })).toEqual(CLEAN);
    expect(await judge({ name: 'a.csv.gz', content: gzipSync('a;b;c\n'.repeat(1000)) })).toEqual(CLEAN);
    expect(await judge({ name: 'vide.zip', content: zip([]) })).toEqual(CLEAN);
  });

  test.each<[string, Buffer, string]>([
    ['a program', zip([{ name: 'docs/facture.pdf.exe' }]), 'archive-program'],
    ['a program in an archive in it', zip([{ name: 'a.zip', content: zip([{ name: 'x.js' }]) }]), 'archive-program'],
    [
      'an archive in an archive in an archive',
      zip([{ name: 'a.zip', content: zip([{ name: 'b.zip', content: photos }]) }]),
      'archive-nested',
    ],
    ['gigabytes by its directory', zip([{ name: 'a.txt', content: 'a', claimedSize: 4_000_000_000 }]), 'archive-bomb'],
    [
      'gigabytes in a thousand small lies',
      zip(Array.from({ length: 1000 }, (_, at) => ({ name: `${at}`, content: 'a', claimedSize: 20_000_000 }))),
      'archive-bomb',
    ],
    [
      'more entries than anybody packs',
      zip(Array.from({ length: 10_001 }, (_, at) => ({ name: `${at}` }))),
      'archive-bomb',
    ],
    ['sixty megabytes of zeros', gzipSync(Buffer.alloc(60_000_000)), 'archive-bomb'],
    ['zeros in gzip in ZIP', zip([{ name: 'a.gz', content: gzipSync(Buffer.alloc(60_000_000)) }]), 'archive-bomb'],
  ])('that holds %s is blocked', async (_name, content, reason) => {
    expect(await judge({ name: 'archive', content })).toEqual({ verdict: 'blocked', reason });
  });

  test.each<[string, Buffer, string]>([
    ['locked', zip([{ name: 'secret.pdf', encrypted: true }]), 'archive-encrypted'],
    ['cut in two', photos.subarray(0, photos.length - 10), 'archive-unreadable'],
    ['cut gzip', gzipSync('bonjour'.repeat(100)).subarray(0, 20), 'archive-unreadable'],
    [
      'whose inner archive is larger than it says',
      zip([{ name: 'a.zip', content: photos, claimedSize: 10 }]),
      'archive-unreadable',
    ],
  ])('that is %s is not called clean', async (_name, content, reason) => {
    expect(await judge({ name: 'archive', content })).toEqual({ verdict: 'unchecked', reason });
  });

  test('that is locked and still shows a program is blocked', async () => {
    const content = zip([{ name: 'facture.exe', encrypted: true }]);
    expect(await judge({ name: 'a.zip', content })).toMatchObject({ verdict: 'blocked' });
  });

  test('whatever its bytes are is judged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(photos.length - 1), fc.uint8Array({ maxLength: 30 }), async (at, noise) => {
        const content = Buffer.from(photos);
        content.set(noise.slice(0, content.length - at), at);
        expect(['clean', 'unchecked', 'blocked']).toContain((await judge({ name: 'a.zip', content })).verdict);
      }),
      { numRuns: 200 },
    );
  });
});

test('of very many files the last ones are not called clean', async () => {
  const findings = await judgeFiles(Array.from({ length: 101 }, () => whole({ content: 'a' })));
  expect(findings.slice(99)).toEqual([CLEAN, { verdict: 'unchecked', reason: 'too-many' }]);
});
