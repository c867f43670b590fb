// Subjects of replies and threads (RFC 5322 3.6.5, and RFC 5256 2.1 for what to take off), in the languages met:
// Réf and TR French, AW and WG German, SV and VB Swedish, RV Spanish, ENC Portuguese, Antw and Doorst Dutch, Odp Polish.

const REPLY = /\s*(?:re|réf\.?|aw|sv|antw|odp|回复|答复)\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]\s*/iuy;
const FORWARD = /\s*(?:fwd?|tr|wg|rv|enc|doorst|vb|转发)\s?(?:\[\d{1,3}\])?\s?[:：]\s*/iuy;
const LIST_MARK = /\s*\[[^[\]]{1,80}\]\s*/uy;

/**
 * @returns `Re: ` and the subject, however often and in whatever language it was already answered; a forward's `TR:`
 *   stays. Line breaks and control characters become spaces: this ends up in a header.
 */
export function replySubject(subject: string): string {
  const line = oneLine(subject);
  return `Re: ${line.slice(skip(line, [REPLY]))}`.trim();
}

/** The subject without Re:, Fwd:, [list] in front and (fwd) behind; a subject of nothing else stays what it is. */
export function baseSubject(subject: string): string {
  const line = oneLine(subject);
  let base = line.slice(skip(line, [REPLY, FORWARD, LIST_MARK]));
  while (/\(fwd\)$/i.test(base.slice(-5))) base = base.slice(0, -5).trimEnd();
  return base === '' ? line.slice(skip(line, [REPLY, FORWARD])) : base;
}

function oneLine(subject: string): string {
  return subject
    .normalize('NFC')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** How many characters of decorations stand at the beginning. */
function skip(line: string, decorations: RegExp[]): number {
  let at = 0;
  for (;;) {
    const next = decorations.map((decoration) => endOf(decoration, line, at)).find((end) => end > at);
    if (next === undefined) return at;
    at = next;
  }
}

function endOf(decoration: RegExp, line: string, at: number): number {
  decoration.lastIndex = at;
  return decoration.test(line) ? decoration.lastIndex : at;
}
