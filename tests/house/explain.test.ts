// The command as a person runs it: a process of its own, of which only standard output and the exit code count.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { type ExplainedMail, explainedMailSchema } from '#activities/readers/explained-mail.ts';
import { PROJECT_ROOT } from '../../bin/house/home.ts';
import { fixturePaths } from '../rules/fixture-mail.ts';
import { labelledMails, OWN_ADDRESSES } from '../support/labelled-mail.ts';

const FIXTURES = path.join(PROJECT_ROOT, 'tests/fixtures/mail');
const SCHEMA = path.join(PROJECT_ROOT, 'docs/explained-mail.schema.json');
const MUTATIONS = 500;
/** Five for the mail, the rest for a process on a busy machine to start. */
const LONGEST_RUN_MS = 10_000;
const folder = mkdtempSync(path.join(os.tmpdir(), 'relais-tests-explain-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Run = { code: number | null; out: string; err: string; ms: number };

function relais(words: string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const began = Date.now();
  const bin = path.join(PROJECT_ROOT, 'bin/relais.ts');
  const child = spawn(process.execPath, [bin, 'explain', ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, out, err, ms: Date.now() - began }));
  });
}

/** Every line is one object of the published form, or the test ends here. */
async function explained(...words: string[]): Promise<ExplainedMail[]> {
  const { out, err } = await relais([...words, '--json']);
  expect(err).toBe('');
  const lines = out.split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => explainedMailSchema.parse(JSON.parse(line)));
}

function file(name: string, content: string | Buffer): string {
  const at = path.join(folder, name);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(at, content);
  return at;
}

const head = (subject: string, more = '') =>
  `From: Camille <camille@client.example>\r\nTo: support@acme.test\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\n${more}\r\n`;

test('the form of a line is published as a JSON Schema', () => {
  const published = JSON.parse(readFileSync(SCHEMA, 'utf8'));
  expect(published).toEqual({
    ...z.toJSONSchema(explainedMailSchema),
    title: 'A mail as `relais explain --json` says it, one a line',
  });
  expect(published.required).toEqual(Object.keys(published.properties));
  expect(published.additionalProperties).toBe(false);
});

describe('relais explain', () => {
  test('says of every real mail what it is', async () => {
    const mails = await explained(...fixturePaths().map((name) => path.join(FIXTURES, name)));
    expect(mails.map((mail) => path.relative(FIXTURES, mail.file))).toEqual(fixturePaths());
    expect(mails.filter(({ kind }) => kind === 'bounce').length).toBeGreaterThan(4);
    const bounce = mails.find(({ kind, bounce }) => kind === 'bounce' && bounce?.status);
    expect(bounce?.bounce?.status).toMatch(/^[245]\.\d+\.\d+$/);
  });

  test('agrees with the rules about every labelled mail, by the addresses it was told', async () => {
    const mails = labelledMails();
    const at = mails.map(({ id, raw }) => file(`labelled/${id.replace('/', '-')}.eml`, raw));
    const found = await explained(...at, '--own', ...OWN_ADDRESSES);
    expect(found).toHaveLength(mails.length);
    const filtered = found.filter(({ kind }, index) => mails[index]!.kind === 'personal' && kind !== 'personal');
    expect(filtered.length).toBe(0);
    const loops = (of: { kind: string }[]) => of.filter(({ kind }) => kind === 'loop').length;
    expect(loops(found)).toBe(loops(mails));
  });

  test('never fails on five hundred damaged mails', async () => {
    const originals = fixturePaths().map((name) => readFileSync(path.join(FIXTURES, name)));
    for (let round = 0; round < MUTATIONS; round += 1)
      file(`damaged/${String(round).padStart(3, '0')}.eml`, damaged(originals, round));
    const mails = await explained(path.join(folder, 'damaged'));
    expect(mails).toHaveLength(MUTATIONS);
    expect(mails.filter(({ problems }) => problems.some((problem) => problem.includes('within')))).toEqual([]);
  });

  test.each<[string, () => string | Buffer, Partial<ExplainedMail>]>([
    [
      'a file of twenty megabytes',
      () =>
        `${head('lourd', 'Content-Type: multipart/mixed; boundary=b\r\n')}--b\r\n\r\nVoici.\r\n--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n${`${'A'.repeat(76)}\r\n`.repeat(256_000)}--b--\r\n`,
      { subject: 'lourd', newText: 'Voici.', problems: [] },
    ],
    [
      'a text of twenty megabytes',
      () => head('long') + '> encore\r\nune ligne\r\n'.repeat(1_000_000),
      { subject: 'long' },
    ],
    [
      'ten thousand parts',
      () =>
        `${head('parts', 'Content-Type: multipart/mixed; boundary=b\r\n')}${'--b\r\nContent-Type: text/plain\r\n\r\nx\r\n'.repeat(10_000)}--b--\r\n`,
      { subject: 'parts', from: { name: 'Camille', address: 'camille@client.example' } },
    ],
    [
      'ten thousand levels',
      () =>
        `${head('deep', 'Content-Type: multipart/mixed; boundary=b0\r\n')}${Array.from({ length: 10_000 }, (_, at) => `--b${at}\r\nContent-Type: multipart/mixed; boundary=b${at + 1}\r\n\r\n`).join('')}`,
      { subject: 'deep' },
    ],
    [
      'ten thousand files',
      () =>
        `${head('files', 'Content-Type: multipart/mixed; boundary=b\r\n')}${'--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n'.repeat(10_000)}--b--\r\n`,
      { subject: 'files' },
    ],
    ['a megabyte of NUL', () => head('nul') + '\0'.repeat(1_000_000), { subject: 'nul', text: '' }],
    ['a header without end', () => `References: ${'<a@b.example>\r\n '.repeat(1_000_000)}`, {}],
    [
      'bytes by chance',
      () => Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 7919 + (at >> 3)) % 256)),
      {},
    ],
  ])('takes no more than its time for %s', async (name, content, expected) => {
    const at = file(`${name.replaceAll(' ', '-')}.eml`, content());
    const { out, err, ms } = await relais([at, '--json']);
    expect(err).toBe('');
    expect(explainedMailSchema.parse(JSON.parse(out))).toMatchObject({ file: at, ...expected });
    expect(ms).toBeLessThan(LONGEST_RUN_MS);
  });

  test('goes on after what it could not read, and says so by its exit code', async () => {
    const letter = file('some/letter.eml', `${head('Bonjour')}Où en est ma commande ?`);
    const empty = file('some/empty.eml', '');
    const { out, code } = await relais([empty, 'missing.eml', '/dev/null', letter, '--json']);
    const mails = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ExplainedMail);
    expect(mails.map(({ kind, reason, problems }) => [kind, reason, problems.length])).toEqual([
      ['personal', 'unreadable', 1],
      ['personal', 'no-such-file', 1],
      ['personal', 'no-such-file', 1],
      ['personal', 'no-sign', 0],
    ]);
    expect(code).toBe(2);
    expect((await relais([letter, '--json'])).code).toBe(0);
    expect(await relais([])).toMatchObject({ code: 1, out: '' });
    expect(await relais([letter, '--colour'])).toMatchObject({ code: 1, out: '' });
  });

  test('takes a folder with all that is in it, hidden files left out', async () => {
    file('maildir/cur/1700000000.M1P2.mail:2,S', `${head('un')}x`);
    file('maildir/new/sub/deux.eml', `${head('deux')}x`);
    file('maildir/.uidlist', 'no mail');
    symlinkSync(folder, path.join(folder, 'maildir/loop'));
    const mails = await explained('maildir');
    expect(mails.map((mail) => mail.file)).toEqual([
      'maildir/cur/1700000000.M1P2.mail:2,S',
      'maildir/loop',
      'maildir/new/sub/deux.eml',
    ]);
    expect(mails.map(({ subject }) => subject)).toEqual(['un', '', 'deux']);
    mkdirSync(path.join(folder, 'nothing'));
    expect(await relais(['nothing', '--json'])).toMatchObject({ code: 0, out: '' });
  });

  test('means what was typed from where npm was called', async () => {
    file('called/here.eml', `${head('ici')}x`);
    const { out } = await relais(['here.eml', '--json'], { INIT_CWD: path.join(folder, 'called') });
    expect(JSON.parse(out)).toMatchObject({ file: 'here.eml', subject: 'ici' });
  });

  test('knows loops and answers by the addresses of the company, wherever they stand', async () => {
    const loop = file('loop.eml', head('Accusé', 'X-Loop: support@acme.test\r\n'));
    const answer = file('answer.eml', head('Re: x', 'X-Spam-Flag: YES\r\nIn-Reply-To: <1@acme.test>\r\n'));
    const kinds = async (...words: string[]) =>
      (await explained(...words)).map(({ kind, reason }) => `${kind} ${reason}`);
    expect(await kinds(loop, answer)).toEqual(['personal no-sign', 'spam spam-header']);
    const known = ['loop own-x-loop', 'personal answers-us'];
    expect(await kinds(loop, answer, '--own', 'support@acme.test')).toEqual(known);
    expect(await kinds('--own', 'info@acme.test,support@acme.test', loop, answer)).toEqual(known);
  });

  test('writes for people without --json, and nothing of a mail steers the terminal', async () => {
    const at = file('plain.eml', `${head('=?utf-8?Q?Rouge_=1B[31m?=')}Bonjour\u001b]0;x\u0007 Camille`);
    const { out, code } = await relais([at]);
    expect(code).toBe(0);
    expect(out).toMatch(/kind\s+personal \(no-sign\)/);
    expect(out).toMatch(/from\s+Camille <camille@client.example>/);
    expect(out).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

/** The same damage in every run: bytes changed, lines lost or doubled, the mail cut or joined to another. */
function damaged(originals: Buffer[], seed: number): Buffer {
  let state = seed * 2654435761 + 1;
  const below = (limit: number) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
    return state % Math.max(1, limit);
  };
  let mail = Buffer.from(originals[seed % originals.length]!);
  for (let times = below(8); times >= 0; times -= 1) {
    const at = below(mail.length);
    const how = below(5);
    if (how === 0) for (let count = 0; count < 20 && mail.length > 0; count += 1) mail[below(mail.length)] = below(256);
    else if (how === 1) mail = mail.subarray(0, at);
    else if (how === 2) mail = Buffer.concat([mail.subarray(0, at), mail.subarray(at + below(200))]);
    else if (how === 3) mail = Buffer.concat([mail.subarray(0, at), mail.subarray(Math.max(0, at - below(300)))]);
    else mail = Buffer.concat([mail.subarray(0, at), originals[below(originals.length)]!.subarray(0, 20_000)]);
  }
  return mail;
}
