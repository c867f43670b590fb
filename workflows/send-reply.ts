// One message out, once: after its time to undo, with proof or with an honest "we do not know".
import { ActivityFailure, condition, defineSignal, setHandler, uuid4 } from '@temporalio/workflow';
import type { Attempt, ReplyRef } from '#activities/sending.ts';
import { startFollowUp } from './children.ts';
import { REPLY_CHANGED, type SendReplyInput, type SendReplyResult } from './contract.ts';
import { database, irreversible, provider } from './steps.ts';

const GIVE_UP_AFTER_MS = 5 * 24 * 3600_000;
const LOOK_UP_AFTER_MS = [1_000, 4_000, 10_000, 25_000];

/** How often the row was said to have changed, and up to where that was looked at. */
type Changes = { heard: number; seen: number };

const replyChanged = defineSignal<[{ replyId: string }]>(REPLY_CHANGED);

export async function sendReply(reply: SendReplyInput): Promise<SendReplyResult> {
  const changes: Changes = { heard: 0, seen: 0 };
  setHandler(replyChanged, () => {
    changes.heard += 1;
  });
  // Of the tries since it was last wanted: a person's word begins them anew, and a date in the future costs none.
  let firstTryAt: number | null = null;
  let heardBefore = 0;

  for (let attempt = 1; ; attempt += 1) {
    const state = await settledOrDue(reply, changes);
    if (state === 'sent') await armFollowUp(reply);
    if (state !== 'approved') {
      // A word that came after the last look may want it sent again: the run that hears it must not end on what it knew.
      if (changes.heard > changes.seen) continue;
      return { state };
    }
    if (firstTryAt === null || changes.heard > heardBefore) firstTryAt = Date.now();
    heardBefore = changes.heard;
    if (Date.now() - firstTryAt > GIVE_UP_AFTER_MS) {
      await database('Five days of temporary faults: a person must look').giveUpReply(reply);
      continue;
    }

    const token = uuid4();
    const taken = await database(`Take the reply for attempt ${attempt}`).beginSending({ ...reply, token });
    if (!taken) continue;
    const end = await transmit({ ...reply, token });
    const sentence = end ? `Attempt ${attempt}: ${end.outcome}` : `Attempt ${attempt} was cut off: see how far it came`;
    const concluded = await database(sentence).concludeAttempt({ ...reply, token, end });
    if (concluded === 'approved') await changed(changes, patienceAfter(attempt), 'The mail server is busy: try later');
  }
}

// Waits through the time to undo, the schedule and an unknown outcome, until the reply is to be sent or needs nothing.
async function settledOrDue(reply: ReplyRef, changes: Changes): Promise<'approved' | SendReplyResult['state']> {
  for (;;) {
    changes.seen = changes.heard;
    const { state, waitMs } = await database('Is it to be sent, and when?').readReply(reply);
    if (state === 'sending') await database('An earlier run was cut off: see how far it came').concludeAbandoned(reply);
    else if (state === 'unknown') await resolveUnknown(reply, changes);
    else if (state !== 'approved' || waitMs === 0) return state;
    else await changed(changes, waitMs, 'Wait: it can still be taken back');
  }
}

/** Waits until the row is said to have changed, or the time is over. */
function changed(changes: Changes, waitMs: number, summary: string): Promise<boolean> {
  return condition(() => changes.heard > changes.seen, waitMs, { summary });
}

async function transmit(attempt: Attempt) {
  try {
    return await irreversible('Hand the mail to the mail server').transmitReply(attempt);
  } catch (error) {
    if (error instanceof ActivityFailure) return null;
    throw error;
  }
}

// Nothing is sent again by itself: the Sent folder may prove that it left, else a person says what to do. Their word
// counts at any moment.
async function resolveUnknown(reply: ReplyRef, changes: Changes): Promise<void> {
  for (const waitMs of LOOK_UP_AFTER_MS) {
    if (await changed(changes, waitMs, 'Give the Sent folder time to show it')) return;
    if (await standsInSent(reply)) return;
  }
  await condition(() => changes.heard > changes.seen);
}

async function standsInSent(reply: ReplyRef): Promise<boolean> {
  try {
    return (await provider('Look for it in the Sent folder').lookUpReply(reply)).found;
  } catch (error) {
    if (error instanceof ActivityFailure) return false;
    throw error;
  }
}

async function armFollowUp(reply: ReplyRef): Promise<void> {
  const armed = await database('Does the folder want a follow-up?').scheduleFollowUp(reply);
  if (armed) await startFollowUp({ tenantId: reply.tenantId, followUpId: armed.followUpId });
}

// Seconds at first, so that a short outage costs little; a quarter of an hour after the first hour.
function patienceAfter(attempt: number): number {
  const SHORT_MS = 45_000;
  const LONG_MS = 15 * 60_000;
  return attempt > 80 ? LONG_MS : Math.min(SHORT_MS, 1_000 * 2 ** Math.min(attempt, 10));
}
