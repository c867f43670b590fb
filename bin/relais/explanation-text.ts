// An explanation for people to read in a terminal.
import { stripVTControlCharacters } from 'node:util';
import type { ExplainedMail } from '#activities/readers/explained-mail.ts';

const LINES_SHOWN = 12;

export function explanationText(mail: ExplainedMail): string {
  const rows: [name: string, value: string | null | undefined][] = [
    ['kind', `${mail.kind} (${mail.reason})`],
    ['from', mailbox(mail.from)],
    ['reply to', mailbox(mail.replyTo)],
    ['to', mail.to.join(', ')],
    ['cc', mail.cc.join(', ')],
    ['subject', mail.subject],
    ['date', mail.date],
    ['message id', mail.messageId],
    ['answers', mail.inReplyTo],
    [
      'bounce',
      mail.bounce && [mail.bounce.recipient, mail.bounce.status, mail.bounce.action].filter(Boolean).join(' '),
    ],
    ...mail.attachments.map(({ name, type, size, inline }): [string, string] => [
      inline ? 'in the text' : 'file',
      `${name} (${type}, ${size} bytes)`,
    ]),
    ...mail.problems.map((problem): [string, string] => ['problem', problem]),
  ];
  const head = rows.flatMap(([name, value]) => (value ? [`  ${name.padEnd(11)} ${oneLine(value)}`] : []));
  const lines = mail.newText.split('\n').map(oneLine);
  const shown = lines.slice(0, LINES_SHOWN).map((line) => `  | ${line}`);
  const more = lines.length > LINES_SHOWN ? [`  | … ${lines.length - LINES_SHOWN} more lines`] : [];
  return [oneLine(mail.file), ...head, ...(mail.newText ? [...shown, ...more] : []), ''].join('\n');
}

function mailbox(of: ExplainedMail['from']): string | null {
  return of && [of.name, of.address && `<${of.address}>`].filter(Boolean).join(' ');
}

// A stranger wrote it: nothing of it may steer the terminal.
function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, ' ')
    .slice(0, 400);
}
