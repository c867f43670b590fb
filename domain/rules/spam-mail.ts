// Spam: the tenant's own list of senders, and the verdict of the server that received the mail. Relais has no spam
// filter of its own for headers: a guess would cost a client's letter.
import { matchesSenderPattern } from './email-address.ts';
import { type HeaderLine, headerLine, keyword, type MailTraits, type MailVerdict, verdict } from './mail-traits.ts';

/** The most precise pattern decides (an address before a domain, a subdomain before its domain); a tie allows. */
export function senderRule({ senderAddress, senderRules }: MailTraits) {
  const precision = (pattern: string) => (pattern.trim().indexOf('@') > 0 ? 1000 : 0) + pattern.trim().length;
  return senderRules
    .filter(({ pattern }) => senderAddress !== null && matchesSenderPattern(pattern, senderAddress))
    .sort((a, b) => precision(b.pattern) - precision(a.pattern) || (a.verdict === 'allow' ? -1 : 1))[0];
}

/** The receiving server's own verdict: the topmost line of each name, because a sender may have added more below. */
export function spamVerdict({ headers }: MailTraits): MailVerdict | null {
  for (const [name, isSpam] of VERDICTS) {
    const line = headerLine(headers, name);
    if (line && isSpam(line.value)) return verdict('spam', 'spam-header', line);
  }
  const forged = forgedSender(headers);
  return forged && verdict('spam', 'dmarc-fail', forged);
}

const isYes = (value: string) => ['yes', 'true', 'spam'].includes(keyword(value));
const isHigh = (value: string) => ['high', 'spam'].includes(keyword(value));

/** Where servers and providers say it: SpamAssassin, Vade (OVH, La Poste), Gandi, Orange, SFR, Rspamd, Exchange Online, and filters of the trade. */
const VERDICTS: [name: string, isSpam: (value: string) => boolean][] = [
  ['x-spam-flag', isYes],
  ['x-spam-status', isYes],
  ['x-spam', isYes],
  ['x-vr-spamstate', isYes],
  ['x-ovh-spam-status', isYes],
  ['x-gnd-status', isYes],
  ['x-me-spamlevel', isHigh],
  ['x-sfr-spam', isHigh],
  ['x-barracuda-spam-flag', isYes],
  ['x-klms-antispam-status', isYes],
  ['x-bogosity', isYes],
  ['x-dspam-result', isYes],
  ['x-spam-verdict', isYes],
  ['x-spamexperts-class', isYes],
  ['x-mailscanner-spamcheck', (value) => keyword(value) === 'spam'],
  ['x-spamd-result', (value) => /^[\w.-]+: true\b/i.test(value)],
  ['x-rspamd-action', (value) => /^(add header|rewrite subject|reject|quarantine)/i.test(value)],
  ['x-gmail-labels', (value) => value.split(/\s*,\s*/).some((label) => label.toLowerCase() === 'spam')],
  ['x-microsoft-antispam-mailbox-delivery', (value) => /(?:^|;)\s*dest:J\b/i.test(value)],
  ['x-forefront-antispam-report', isExchangeSpam],
  ['x-ms-exchange-organization-scl', (value) => Number.parseInt(value, 10) >= EXCHANGE_SPAM_LEVEL],
];

/**
 * DMARC (RFC 7489) failed on a domain that asks to refuse such mail. Lists and forwards break it honestly: what went
 * through one is not judged by it, nor what an ARC chain (RFC 8617) vouches for.
 */
function forgedSender(headers: MailTraits['headers']): HeaderLine | null {
  const line = headerLine(headers, 'authentication-results');
  if (!line || !/\bdmarc=fail\b/i.test(line.value) || /\barc=pass\b/i.test(line.value)) return null;
  if (!/\bp=(reject|quarantine)\b|\baction=(o\.?)?(reject|quarantine)\b/i.test(line.value)) return null;
  const ways = ['list-id', 'resent-from', 'x-forwarded-to', 'x-forwarded-for'];
  return ways.some((name) => headerLine(headers, name)) ? null : line;
}

const EXCHANGE_SPAM_LEVEL = 5;

/** Exchange Online: SFV is the filter's verdict, SCL its level (5 and more is spam); SK? and SF? other than B were let through. */
function isExchangeSpam(report: string): boolean {
  const found = /(?:^|;)\s*SFV:(\w+)/i.exec(report)?.[1]?.toUpperCase();
  if (found === 'SPM' || found === 'SKS' || found === 'SKB') return true;
  if (found && /^(SKA|SKN|SKI|SKQ|SFE)$/.test(found)) return false;
  return Number(/(?:^|;)\s*SCL:(\d+)/i.exec(report)?.[1] ?? 0) >= EXCHANGE_SPAM_LEVEL;
}
