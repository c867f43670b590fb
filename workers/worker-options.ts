// What all workers have in common. The short time-outs are what makes the death of a worker cost a second and a half
// instead of ten (docs/decisions/0006-fast-recovery.md).

import { existsSync } from 'node:fs';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import type { Log } from '#domain/record/log.ts';
import { WORKFLOWS_PATH } from './bundle-workflows.ts';
import { observeActivities } from './observe.ts';

export type WorkerContext = {
  connection: NativeConnection;
  namespace: string;
  bundle: string | undefined;
  log: Log;
};

export function commonOptions({ connection, namespace, log }: WorkerContext): Omit<WorkerOptions, 'taskQueue'> {
  return {
    connection,
    namespace,
    // By default a stopping worker cuts its activities off at once.
    shutdownGraceTime: '10s',
    shutdownForceTime: '20s',
    interceptors: { activity: [observeActivities(log)] },
  };
}

export function workflowOptions({ bundle }: WorkerContext): Partial<WorkerOptions> {
  return {
    ...(bundle && existsSync(bundle) ? { workflowBundle: { codePath: bundle } } : { workflowsPath: WORKFLOWS_PATH }),
    // A run whose worker died is given to another one after this, instead of ten seconds.
    stickyQueueScheduleToStartTimeout: '1s',
  };
}
