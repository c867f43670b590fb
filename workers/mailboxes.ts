// The queue of the mailboxes: few at a time, each for as long as its server takes.
import { Worker } from '@temporalio/worker';
import type { Activities } from '#activities/index.ts';
import { TASK_QUEUES } from '#workflows/contract.ts';
import { commonOptions, type WorkerContext } from './worker-options.ts';

const MAILBOXES_AT_ONCE = 10;

export function createMailboxesWorker(context: WorkerContext, activities: Activities): Promise<Worker> {
  return Worker.create({
    ...commonOptions(context),
    taskQueue: TASK_QUEUES.mailboxes,
    activities: activities.mailboxes,
    maxConcurrentActivityTaskExecutions: MAILBOXES_AT_ONCE,
  });
}
