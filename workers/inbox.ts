// The queue of the workflows and their short database steps.
import { Worker } from '@temporalio/worker';
import type { Activities } from '#activities/index.ts';
import { TASK_QUEUES } from '#workflows/contract.ts';
import { commonOptions, type WorkerContext, workflowOptions } from './worker-options.ts';

/** One database connection for each step that runs at a time, and some to spare. */
export const INBOX_STEPS_AT_ONCE = 16;

export function createInboxWorker(context: WorkerContext, activities: Activities): Promise<Worker> {
  return Worker.create({
    ...commonOptions(context),
    ...workflowOptions(context),
    taskQueue: TASK_QUEUES.inbox,
    activities: activities.inbox,
    maxConcurrentLocalActivityExecutions: INBOX_STEPS_AT_ONCE,
    // As many runs as steps: more would share the steps in turn, each would last longer than its task may, and what was
    // done would be done again.
    maxConcurrentWorkflowTaskExecutions: INBOX_STEPS_AT_ONCE,
  });
}
