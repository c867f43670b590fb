// One message out, once: after its time to undo, with proof or with an honest "we do not know".
import { ActivityFailure, condition, defineSignal, setHandler, sleep, uuid4 } from '@temporalio/workflow';
import type { Attempt, ReplyRef } from '#activities/sending.ts';
import { startFollowUp } from './children.ts';
import { REPLY_CHANGED, type SendReplyInput, type SendReplyResult } from './contract.ts';
import { database, irreversible, provider } from './steps.ts';

const GIVE_UP_AFTER_MS = 5 * 24 * 3600_000;
const LOOK_UP_AFTER_MS = [1_000, 4_000, 10_000, 25_000];

const replyChanged = defineSignal<[{ replyId: string }]>(REPLY_CHANGED);

export async function sendReply(reply: SendReplyInput): Promise<SendReplyResult> {
  const changes = { seen: 0, heard: 0 };
  setHandler(replyChanged, () => {
    changes.heard += 1;
  });
  const began = Date.now();

  for (let attempt = 1; ; attempt += 1) {
    const due = await untilDue(reply, changes);
    if (due !== 'approved') return { state: due };
    const token = uuid4();
    const begun = await database(`Take the reply for attempt ${attempt}`).beginSending({ ...reply, token });
    if (!begun) continue;
    const end = await transmit({ ...reply, token });
    const sentence = end ? `Attempt ${attempt}: ${end.outcome}` : `Attempt ${attempt} was cut off: see how far it came`;
    const concluded = await database(sentence).concludeAttempt({ ...reply, token, end });
    const state = concluded === 'unknown' ? await resolveUnknown(reply, changes) : concluded;
    if (state === 'sent') await armFollowUp(reply);
    if (state !== 'approved') return { state: state as SendReplyResult['state'] };
    if (Date.now() - began > GIVE_UP_AFTER_MS) return giveUp(reply);
    if (concluded === 'approved')
      await sleep(patienceAfter(attempt), { summary: 'The mail server is busy: try again later' });
  }
}

// Waits through the time to undo and the schedule; an agent may take it back or move it meanwhile.
async function untilDue(
  reply: ReplyRef,
  changes: { seen: number; heard: number },
): Promise<'approved' | SendReplyResult['state']> {
  for (;;) {
    changes.seen = changes.heard;
    const { state, waitMs } = await database('Is it still to be sent, and when?').readReply(reply);
    if (state === 'sending') await database('An earlier run was cut off: see how far it came').concludeAbandoned(reply);
    else if (state === 'unknown') await personDecides(changes);
    else if (state !== 'approved') return state;
    else if (waitMs === 0) return state;
    else await condition(() => changes.heard > changes.seen, waitMs, { summary: 'Wait: it can still be taken back' });
  }
}

async function transmit(attempt: Attempt) {
  try {
    return await irreversible('Hand the mail to the mail server').transmitReply(attempt);
  } catch (error) {
    if (error instanceof ActivityFailure) return null;
    throw error;
  }
}

// Nothing is sent again by itself: the Sent folder may prove that it left, else a person says what to do.
async function resolveUnknown(reply: ReplyRef, changes: { seen: number; heard: number }) {
  for (const wait of LOOK_UP_AFTER_MS) {
    await sleep(wait, { summary: 'Give the Sent folder time to show it' });
    const found = await provider('Look for it in the Sent folder')
      .lookUpReply(reply)
      .then((result) => result.found)
      .catch(() => false);
    if (found) return 'sent' as const;
  }
  for (;;) {
    await personDecides(changes);
    const { state } = await database('What did the person decide?').readReply(reply);
    if (state !== 'unknown') return state;
  }
}

async function personDecides(changes: { seen: number; heard: number }): Promise<void> {
  await condition(() => changes.heard > changes.seen);
  changes.seen = changes.heard;
}

async function armFollowUp(reply: ReplyRef): Promise<void> {
  const armed = await database('Does the folder want a follow-up?').scheduleFollowUp(reply);
  if (armed) await startFollowUp({ tenantId: reply.tenantId, followUpId: armed.followUpId });
}

async function giveUp(reply: ReplyRef): Promise<SendReplyResult> {
  await database('Five days of temporary faults: a person must look').giveUpReply(reply);
  return { state: 'failed' };
}

// Seconds at first, so that a short outage costs little; a quarter of an hour after the first hour.
function patienceAfter(attempt: number): number {
  const SHORT_MS = 45_000;
  const LONG_MS = 15 * 60_000;
  return attempt > 80 ? LONG_MS : Math.min(SHORT_MS, 1_000 * 2 ** Math.min(attempt, 10));
}
