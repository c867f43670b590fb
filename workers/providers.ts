// The queue of outside systems: the model and the mail servers.
import { Worker } from '@temporalio/worker';
import type { Activities } from '#activities/index.ts';
import { TASK_QUEUES } from '#workflows/contract.ts';
import { commonOptions, type WorkerContext } from './worker-options.ts';

const CALLS_AT_ONCE = 40;

export function createProvidersWorker(context: WorkerContext, activities: Activities): Promise<Worker> {
  return Worker.create({
    ...commonOptions(context),
    taskQueue: TASK_QUEUES.providers,
    activities: activities.providers,
    maxConcurrentActivityTaskExecutions: CALLS_AT_ONCE,
  });
}
