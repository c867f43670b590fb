// Spam: the tenant's own list of senders, and the verdict of the server that received the mail. Relais has no spam
// filter of its own for headers: a guess would cost a client's letter.
import { matchesSenderPattern } from './email-address.ts';
import { headerLine, keyword, type MailTraits, type MailVerdict, verdict } from './mail-traits.ts';

/** The most precise pattern decides (an address before a domain, a subdomain before its domain); a tie allows. */
export function senderRule({ senderAddress, senderRules }: MailTraits) {
  const precision = (pattern: string) => (pattern.trim().indexOf('@') > 0 ? 1000 : 0) + pattern.trim().length;
  return senderRules
    .filter(({ pattern }) => senderAddress !== null && matchesSenderPattern(pattern, senderAddress))
    .sort((a, b) => precision(b.pattern) - precision(a.pattern) || (a.verdict === 'allow' ? -1 : 1))[0];
}

/** The receiving server's own verdict: the topmost line of each name, because a sender may have added more below. */
export function spamVerdict({ headers }: MailTraits): MailVerdict | null {
  const signs: [name: string, isSpam: (value: string) => boolean][] = [
    ['x-spam-flag', (value) => keyword(value) === 'yes'],
    ['x-spam-status', (value) => keyword(value) === 'yes'],
    ['x-spam', (value) => keyword(value) === 'yes'],
    ['x-vr-spamstate', (value) => keyword(value) === 'spam'],
    ['x-forefront-antispam-report', isExchangeSpam],
    ['x-ms-exchange-organization-scl', (value) => Number.parseInt(value, 10) >= EXCHANGE_SPAM_LEVEL],
  ];
  for (const [name, isSpam] of signs) {
    const line = headerLine(headers, name);
    if (line && isSpam(line.value)) return verdict('spam', 'spam-header', line);
  }
  return null;
}

const EXCHANGE_SPAM_LEVEL = 5;

/** Exchange Online: SFV is the filter's verdict, SCL its level (5 and more is spam); SK? and SF? other than B were let through. */
function isExchangeSpam(report: string): boolean {
  const found = /(?:^|;)\s*SFV:(\w+)/i.exec(report)?.[1]?.toUpperCase();
  if (found === 'SPM' || found === 'SKS' || found === 'SKB') return true;
  if (found && /^(SKA|SKN|SKI|SKQ|SFE)$/.test(found)) return false;
  return Number(/(?:^|;)\s*SCL:(\d+)/i.exec(report)?.[1] ?? 0) >= EXCHANGE_SPAM_LEVEL;
}
