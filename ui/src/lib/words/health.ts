// What is wrong with a channel, in one sentence: what, since when, and when it is tried again.

import { m } from '#paraglide/messages.js';
import type { Trouble } from '../channels.svelte.ts';
import { shortMoment, span } from './dates.ts';
import { channelError } from './mailbox-problem.ts';

export function troubleSentence({ channel, kind }: Trouble, now: number): string {
  const { name, failingSince, nextLookAt, lastSuccessAt, lastErrorAt } = channel;
  const since = failingSince ?? lastErrorAt ?? lastSuccessAt;
  const time = since ? shortMoment(since, now) : '';
  if (kind === 'late') return m.trouble_late({ name, time });
  const problem = channel.lastError ? channelError(channel.lastError).problem : '';
  if (kind === 'needs-person') return m.trouble_needs_person({ name, problem, time });
  return m.trouble_failing({ name, problem, time, next: nextTry(nextLookAt, now) });
}

/** @param nextLookAt null when nobody knows yet */
export function nextTry(nextLookAt: string | null, now: number): string {
  const leftMs = nextLookAt === null ? 0 : Date.parse(nextLookAt) - now;
  return leftMs > 0 ? m.next_try_in({ span: span(leftMs) }) : m.next_try_now();
}
