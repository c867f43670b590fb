// How much a mail provider lets one mailbox send. Who sends more is refused for a while, or locked for a day.
import { normaliseAddress } from './email-address.ts';

export const LIMIT_PERIODS = ['minute', 'day'] as const;
export type SendingLimit = { count: number; per: (typeof LIMIT_PERIODS)[number] };

const PERIOD_MS = { minute: 60_000, day: 24 * 3600_000 };

/**
 * What the provider's own pages say of its mailboxes (Gmail 500 a day and Workspace 2,000, Exchange Online 30 a minute);
 * for any other server, what none of the usual ones refuses.
 */
export function usualLimit(smtpHost: string, address: string): SendingLimit {
  if (/(^|\.)(gmail|googlemail)\.com$/i.test(smtpHost)) {
    const isPrivate = /@(gmail|googlemail)\.com$/.test(normaliseAddress(address) ?? '');
    return { count: isPrivate ? 500 : 2_000, per: 'day' };
  }
  if (/(^|\.)(office365|outlook)\.com$/i.test(smtpHost)) return { count: 30, per: 'minute' };
  return { count: 60, per: 'minute' };
}

export function periodOf({ per }: SendingLimit): number {
  return PERIOD_MS[per];
}

/**
 * The first moment at which one more mail keeps to the limit: in no period of its length do more leave than it allows.
 * @param moments of the mails that have left, and of those that have been promised one (epoch ms)
 */
export function nextMoment(moments: number[], limit: SendingLimit, now: number): number {
  const newestFirst = [...moments].sort((one, other) => other - one);
  const oldestOfFull = newestFirst[limit.count - 1];
  return oldestOfFull === undefined ? now : Math.max(now, oldestOfFull + periodOf(limit));
}
