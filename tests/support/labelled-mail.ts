// The labelled mails of tests/fixtures/labelled-mail, written short there and made whole here: what the sender's
// program and the company's mail server add is the same in every mail that passes them.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { MailKind } from '#domain/rules/mail-traits.ts';
import { headersOfProgram } from './mail-programs.ts';
import { headersOfServer } from './mail-servers.ts';

const FOLDER = path.join(import.meta.dirname, '../fixtures/labelled-mail');

/** The mailboxes of the company that receives all of them. */
export const OWN_ADDRESSES = ['support@acme.test', 'contact@acme.test'];

export type LabelledMail = {
  /** The file it stands in. */
  of: string;
  /** Such as `personal/question-above-a-forwarded-newsletter`. */
  id: string;
  kind: MailKind;
  /** Why it is of that kind, in the words of the person who labelled it. */
  because: string;
  raw: Buffer;
};

type Section = { marker: string[]; body: string };

/** All of them, ordered by file and place. */
export function labelledMails(): LabelledMail[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));
  return files.sort().flatMap((name) => mailsOf(name, readFileSync(path.join(FOLDER, name), 'utf8')));
}

/**
 * Halves each kind of each file by the digest of the ids, so that mails in a new file move none of the others. The second
 * half is never looked at while rules are written: only its figures count.
 */
export function halves(mails: LabelledMail[]): { seen: LabelledMail[]; heldOut: LabelledMail[] } {
  const ranked = [...mails].sort((one, other) => digest(one.id).localeCompare(digest(other.id)));
  const placeInKind = (mail: LabelledMail) =>
    ranked.filter(({ of, kind }) => of === mail.of && kind === mail.kind).indexOf(mail);
  return {
    seen: mails.filter((mail) => placeInKind(mail) % 2 === 0),
    heldOut: mails.filter((mail) => placeInKind(mail) % 2 === 1),
  };
}

// `=== kind/name: why`, then `@program …` and `@server …`, header lines, an empty line, the text, and `--- …` sections.
function mailsOf(of: string, file: string): LabelledMail[] {
  return file
    .split(/^=== /m)
    .slice(1)
    .map((block) => {
      const [first = '', ...rest] = block.split('\n');
      const [, id = '', because = ''] = /^(\S+): (.*)$/.exec(first) ?? [];
      return { of, id, kind: id.split('/')[0] as MailKind, because, raw: wholeMail(id, rest.join('\n')) };
    });
}

function wholeMail(id: string, block: string): Buffer {
  // A mail without words goes from its header lines straight to a section.
  const end = block.search(/\n\n|\n(?=--- )/);
  const head = end < 0 ? block.trimEnd() : block.slice(0, end);
  const lines = head.split('\n').filter((line) => line !== '');
  const directive = (name: string) => lines.find((line) => line.startsWith(`@${name} `))?.slice(name.length + 2);
  const given = lines.filter((line) => !line.startsWith('@'));
  const has = (name: string) => given.some((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  const from = addressOf(given.find((line) => line.startsWith('From:')) ?? '');
  const sent = new Date(Date.UTC(2026, 10, 2, 7) + (numberOf(id) % (18 * 24 * 3600)) * 1000);
  const facts = { seed: digest(id), from, domain: from.split('@')[1] ?? 'mail.test', sent };
  const added = [
    `Date: ${sent.toUTCString().replace('GMT', '+0000')}`,
    'To: support@acme.test',
    ...headersOfProgram(directive('program') ?? 'bare', facts),
    'MIME-Version: 1.0',
  ].filter((line) => !has(line.split(':')[0]!));
  const body = bodyOf(sectionsOf(end < 0 ? '' : block.slice(end + 1).replace(/^\n/, '')), facts.seed);
  const outer = [...headersOfServer(directive('server') ?? null, facts)].filter(
    (line) => !has('Return-Path') || !line.startsWith('Return-Path:'),
  );
  const headers = [...outer, ...given, ...added, ...(has('Content-Type') ? [] : body.headers)];
  return Buffer.from(
    `${headers
      .filter((line) => !/^[\w-]+: -$/.test(line))
      .map(encodedLine)
      .join('\r\n')}\r\n\r\n${body.content}`,
    'utf8',
  );
}

function sectionsOf(text: string): Section[] {
  const [first = '', ...others] = text.trimEnd().split(/^--- /m);
  const sections = others.map((part) => {
    const end = part.indexOf('\n');
    return {
      marker: (end < 0 ? part : part.slice(0, end)).split(' '),
      body: end < 0 ? '' : part.slice(end + 1).trimEnd(),
    };
  });
  return [{ marker: ['text'], body: first.trimEnd() }, ...sections];
}

type Entity = { headers: string[]; content: string };

function bodyOf(sections: Section[], seed: string): Entity {
  const of = (name: string) => sections.filter(({ marker }) => marker[0] === name);
  const html = of('html')[0];
  const text = of('text')[0]?.body ?? '';
  const calendar = of('calendar')[0];
  const report = of('report');
  const forms = [
    ...(text === '' && html ? [] : [leaf('text/plain; charset=utf-8', text)]),
    ...(html ? [leaf('text/html; charset=utf-8', html.body, true)] : []),
    ...(calendar
      ? [leaf(`text/calendar; charset=utf-8; method=${calendar.marker[1]}`, calendarOf(calendar, seed))]
      : []),
  ];
  const letter = forms.length === 1 ? forms[0]! : multipart('multipart/alternative', forms, `alt-${seed.slice(0, 12)}`);
  if (report.length > 0) {
    const type = report[0]!.marker[1]!.split('/')[1];
    const parts = report.map(({ marker, body }) => ({ headers: [`Content-Type: ${marker[1]}`], content: crlf(body) }));
    return multipart(`multipart/report; report-type=${type}`, [letter, ...parts], `rep-${seed.slice(0, 12)}`);
  }
  const files = of('file').map(fileOf);
  return files.length > 0 ? multipart('multipart/mixed', [letter, ...files], `mix-${seed.slice(0, 12)}`) : letter;
}

function leaf(type: string, text: string, quoted = false): Entity {
  const isAscii = /^[\x20-\x7e\n\t]*$/.test(text);
  if (isAscii && !quoted)
    return { headers: [`Content-Type: ${type}`, 'Content-Transfer-Encoding: 7bit'], content: crlf(text) };
  return {
    headers: [`Content-Type: ${type}`, 'Content-Transfer-Encoding: quoted-printable'],
    content: quotedPrintable(text),
  };
}

function multipart(type: string, parts: Entity[], boundary: string): Entity {
  const content = parts
    .map((part) => `--${boundary}\r\n${part.headers.join('\r\n')}\r\n\r\n${part.content}\r\n`)
    .join('');
  return { headers: [`Content-Type: ${type}; boundary="${boundary}"`], content: `${content}--${boundary}--\r\n` };
}

// `--- file facture.pdf application/pdf 2000`
function fileOf({ marker: [, name, type, size] }: Section): Entity {
  const content = Buffer.alloc(Number(size ?? 100), type === 'application/pdf' ? '%PDF-1.4\n' : 'x').toString('base64');
  return {
    headers: [
      `Content-Type: ${type}; name="${name}"`,
      `Content-Disposition: attachment; filename="${name}"`,
      'Content-Transfer-Encoding: base64',
    ],
    content: content.replace(/.{76}/g, '$&\r\n'),
  };
}

function calendarOf({ marker: [, method], body }: Section, seed: string): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    `METHOD:${method}`,
    'BEGIN:VEVENT',
    `UID:${seed.slice(0, 20)}`,
    'DTSTAMP:20261110T090000Z',
    'DTSTART:20261125T090000Z',
    ...body.split('\n'),
    'END:VEVENT',
    'END:VCALENDAR',
  ];
  return lines.join('\n');
}

function quotedPrintable(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('binary');
  const escaped = bytes.replace(
    /[^\x20-\x3c\x3e-\x7e\n]/g,
    (one) => `=${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  const folded = escaped
    .split('\n')
    .map((line) => (line.match(/(?:=[0-9A-F]{2}|[^=]){1,70}/g) ?? ['']).join('=\r\n').replace(/ $/, '=20'));
  return folded.join('\r\n');
}

// RFC 2047 for what is no ASCII: the display name or the whole value.
function encodedLine(line: string): string {
  if (/^[\x20-\x7e\t]*$/.test(line)) return line;
  const [, name, value] = /^([^:]*): (.*)$/.exec(line)!;
  const [, display, rest = ''] = /^"?([^"<]*?)"?( <.*>)?$/.exec(value!) ?? ['', value];
  return `${name}: =?UTF-8?B?${Buffer.from(display!).toString('base64')}?=${rest}`;
}

function crlf(text: string): string {
  return text.replace(/\n/g, '\r\n');
}

function addressOf(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? /:\s*(\S+)/.exec(line)?.[1] ?? '';
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function numberOf(id: string): number {
  return Number.parseInt(digest(id).slice(0, 8), 16);
}
