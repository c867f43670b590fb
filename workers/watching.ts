// The queue of the watched mailboxes: many at a time, because each only waits. What finds no place here is still read by
// its schedule.
import { Worker } from '@temporalio/worker';
import type { Activities } from '#activities/index.ts';
import { TASK_QUEUES } from '#workflows/contract.ts';
import { commonOptions, type WorkerContext } from './worker-options.ts';

const WATCHED_AT_ONCE = 500;
/** A worker that starts does not knock at every door in the same moment. */
const OPENED_A_SECOND = 20;

export function createWatchingWorker(context: WorkerContext, activities: Activities): Promise<Worker> {
  return Worker.create({
    ...commonOptions(context),
    taskQueue: TASK_QUEUES.watching,
    activities: activities.watching,
    maxConcurrentActivityTaskExecutions: WATCHED_AT_ONCE,
    maxActivitiesPerSecond: OPENED_A_SECOND,
    // Nothing is half done here: another worker may take over at once.
    shutdownGraceTime: 0,
  });
}
