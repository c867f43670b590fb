// One message in: record it, keep apart what no person wrote to us, sort it, answer it.
import { sleep } from '@temporalio/workflow';
import type { MessageRef } from '#activities/classifying.ts';
import type { ReplyPlan } from '#activities/replying.ts';
import { sendAsChild } from './children.ts';
import type { ReceiveMessageInput, Stage } from './contract.ts';
import { draftReply, listenForDecisions, reviewDraft } from './review-draft.ts';
import { setStage } from './search-attributes.ts';
import { sortMessage } from './sort-message.ts';
import { database, media } from './steps.ts';

export type ReceiveMessageResult = { stage: Stage; reason: string };

export async function receiveMessage(receipt: ReceiveMessageInput): Promise<ReceiveMessageResult> {
  const decisions = listenForDecisions();

  const arrival = await recognise(receipt);
  if (arrival.outcome === 'set-aside') return end('set-aside', 'unreadable');
  if (arrival.outcome === 'duplicate') return endAsDuplicate(receipt, arrival.messageId);

  if (arrival.media) await media('Fetch the files it names').fetchMedia(receipt);

  const recorded = await database('Record the message, its client and its conversation').recordMessage(receipt);
  if (recorded.outcome === 'duplicate') return endAsDuplicate(receipt, recorded.messageId);
  const { conversationId, messageId, channel } = recorded;
  const message: MessageRef = { tenantId: receipt.tenantId, messageId };

  const { kind, reason } = await database('Did a person write this to us?').filterBulkMail({ ...receipt, messageId });
  if (kind !== 'personal') return end('filtered', `${kind}: ${reason}`, { conversationId, channel });

  const folder = await sortMessage(message);
  const about = { conversationId, folder, channel };
  const plan = await planReply(message);
  if (plan.reply === 'none') return end('no-reply', plan.reason, about);

  const drafted = await draftReply(message, plan);
  if (drafted.outcome !== 'drafted') return end('no-reply', drafted.outcome, about);
  setStage('waiting', about);
  const decided = await reviewDraft({ tenantId: receipt.tenantId, ...drafted }, plan, decisions);
  if (decided.state !== 'approved') return end('done', decided.state, about);

  setStage('sending', about);
  const { state } = await sendAsChild({ tenantId: receipt.tenantId, replyId: decided.replyId });
  return end('done', state, about);
}

/** The parts of a long SMS have a run each: the last one to come has them all, the others wait a while for it. */
async function recognise(receipt: ReceiveMessageInput) {
  for (;;) {
    const arrival = await database('Has this message come before?').recogniseDuplicate(receipt);
    if (arrival.outcome !== 'incomplete') return arrival;
    await sleep(arrival.lookAgainInMs, { summary: 'Wait for the other parts of a long SMS' });
  }
}

/** Whether and how to answer. Right after somebody replied the answer is "look again later", by a durable timer. */
async function planReply(message: MessageRef): Promise<ReplyPlan> {
  for (;;) {
    const plan = await database('Should this be answered?').decideReply(message);
    if (plan.reply !== 'later') return plan;
    await sleep(plan.lookAgainInMs ?? 1_000, { summary: 'Somebody replied just now: look again when it is quiet' });
  }
}

async function endAsDuplicate(receipt: ReceiveMessageInput, messageId: string): Promise<ReceiveMessageResult> {
  await database(`Duplicate of message ${messageId}`).settleDuplicate({ ...receipt, messageId });
  return end('duplicate', `of message ${messageId}`);
}

function end(stage: Stage, reason: string, about: Parameters<typeof setStage>[1] = {}): ReceiveMessageResult {
  setStage(stage, about);
  return { stage, reason };
}
