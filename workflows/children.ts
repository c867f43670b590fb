// The runs that other runs start. Each lives on when its parent ends: what was approved is sent, what was promised is kept.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, ParentClosePolicy, startChild, WorkflowIdReusePolicy, workflowInfo } from '@temporalio/workflow';
import {
  type FollowUpInput,
  type SendReplyInput,
  type SendReplyResult,
  TASK_QUEUES,
  WORKFLOWS,
  workflowIds,
} from './contract.ts';
import type { followUp } from './follow-up.ts';
import type { reclassifyFolderless } from './reclassify.ts';
import type { sendReply } from './send-reply.ts';

/** Sends one reply and waits for its end; `elsewhere` when a run of its own is doing so already. */
export async function sendAsChild(reply: SendReplyInput): Promise<SendReplyResult | { state: 'elsewhere' }> {
  try {
    return await executeChild<typeof sendReply>(WORKFLOWS.sendReply, {
      args: [reply],
      workflowId: workflowIds.sendReply(reply.tenantId, reply.replyId),
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      ...asItsParent('One reply on its way out'),
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { state: 'elsewhere' };
    throw error;
  }
}

export async function startFollowUp(promise: FollowUpInput): Promise<void> {
  await unlessRunning(
    startChild<typeof followUp>(WORKFLOWS.followUp, {
      args: [promise],
      workflowId: workflowIds.followUp(promise.tenantId, promise.followUpId),
      ...asItsParent('A promise kept later, unless the client answers'),
    }),
  );
}

export async function startReclassifyFolderless(tenantId: string): Promise<void> {
  await unlessRunning(
    startChild<typeof reclassifyFolderless>(WORKFLOWS.reclassifyFolderless, {
      args: [{ tenantId, after: null }],
      workflowId: workflowIds.reclassifyFolderless(tenantId),
      ...asItsParent('Sort again what has no folder'),
    }),
  );
}

function asItsParent(staticSummary: string) {
  return {
    staticSummary,
    taskQueue: TASK_QUEUES.inbox,
    workflowTaskTimeout: '2s',
    typedSearchAttributes: workflowInfo().typedSearchAttributes,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  } as const;
}

async function unlessRunning(start: Promise<unknown>): Promise<void> {
  try {
    await start;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
