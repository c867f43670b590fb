// What the company's own mail server found out about the sender (RFC 8601). Anybody may write such a line into a mail;
// the server writes its own on top, so the first word on a method counts and what follows from others is not read.
import { type HeaderLine, headerLines, type MailHeaders } from './mail-traits.ts';

type Results = { by: string; methods: Map<string, string>; line: HeaderLine };

/**
 * The sender may be somebody else: DMARC failed, or, where nobody asked DMARC, SPF did and no signature held. Lists and
 * forwards break all of them honestly, so this makes no mail spam; it is only never answered without a person.
 */
export function authenticationFailure(headers: MailHeaders): HeaderLine | null {
  const found = ownResults(headers);
  const first = (method: string) => found.find(({ methods }) => methods.has(method));
  const says = (method: string) => first(method)?.methods.get(method);
  const dmarc = first('dmarc');
  if (dmarc) return says('dmarc') === 'fail' ? dmarc.line : null;
  const spfFailed = says('spf') === 'fail';
  return spfFailed && says('dkim') !== 'pass' ? first('spf')!.line : null;
}

/** A server may write a line for each method: those on top with one and the same name are its own. */
function ownResults(headers: MailHeaders): Results[] {
  const all = headerLines(headers, 'authentication-results').map(resultsIn);
  const end = all.findIndex(({ by }) => by !== all[0]!.by);
  return end < 0 ? all : all.slice(0, end);
}

// Exchange Online leaves out its name: the first part is a result then.
function resultsIn(line: HeaderLine): Results {
  const parts = withoutComments(line.value).split(';');
  const methods = new Map<string, string>();
  for (const part of parts) {
    const [, method, result] = /^\s*([a-z][\w.-]*)(?:\s*\/\s*\d+)?\s*=\s*([a-z]+)/i.exec(part) ?? [];
    if (method && result && !methods.has(method.toLowerCase())) methods.set(method.toLowerCase(), result.toLowerCase());
  }
  return { by: parts[0]!.includes('=') ? '' : parts[0]!.trim().toLowerCase().split(/\s/)[0]!, methods, line };
}

// The sender's own names stand in comments and could hold a result.
function withoutComments(value: string): string {
  let depth = 0;
  let kept = '';
  for (const character of value) {
    if (character === '(') depth += 1;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0) kept += character;
  }
  return kept;
}
