// One promise kept later, or cancelled by the client's answer.
import { condition, defineSignal, setHandler } from '@temporalio/workflow';
import { sendAsChild } from './children.ts';
import { FOLLOW_UP_CHANGED, type FollowUpInput } from './contract.ts';
import { database } from './steps.ts';

const followUpChanged = defineSignal<[{ followUpId: string }]>(FOLLOW_UP_CHANGED);

export async function followUp(promise: FollowUpInput): Promise<{ state: 'fired' | 'cancelled' }> {
  let changed = false;
  setHandler(followUpChanged, () => {
    changed = true;
  });
  for (;;) {
    changed = false;
    const { state, waitMs } = await database('Is it still wanted, and when?').readFollowUp(promise);
    if (state !== 'armed') return { state };
    if (waitMs === 0) break;
    await condition(() => changed, waitMs, { summary: 'Wait for the client to answer' });
  }
  const { replyId } = await database('The client has not answered: keep the promise').fireFollowUp(promise);
  if (replyId) await sendAsChild({ tenantId: promise.tenantId, replyId });
  return { state: 'fired' };
}
