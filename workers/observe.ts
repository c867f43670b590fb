// What stands around every activity: a heartbeat, so that a dead worker is noticed within seconds, and a fence that
// keeps the words of unexpected faults (rows, addresses, server answers) out of Temporal's histories.
import { randomUUID } from 'node:crypto';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { storeFailure } from '#activities/failures.ts';
import { StoreUnavailable } from '#domain/attachments/attachment-store.ts';
import type { Log } from '#domain/record/log.ts';

/** Of the time within which a sign of life must come. */
const BEATS_WITHIN_TIMEOUT = 5;

export function observeActivities(log: Log) {
  return (context: Context) => ({ inbound: new Observer(context, log) });
}

class Observer implements ActivityInboundCallsInterceptor {
  readonly #context: Context;
  readonly #log: Log;

  constructor(context: Context, log: Log) {
    this.#context = context;
    this.#log = log;
  }

  async execute(
    input: Parameters<NonNullable<ActivityInboundCallsInterceptor['execute']>>[0],
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const { info } = this.#context;
    const beats = info.heartbeatTimeoutMs
      ? setInterval(() => this.#context.heartbeat(), info.heartbeatTimeoutMs / BEATS_WITHIN_TIMEOUT)
      : undefined;
    try {
      return await next(input);
    } catch (error) {
      if (error instanceof ApplicationFailure || error instanceof CancelledFailure) throw error;
      const run = info.workflowExecution?.workflowId;
      const step = { run, activity: info.activityType, attempt: info.attempt };
      // Whatever step it was that wanted a file.
      if (error instanceof StoreUnavailable) {
        this.#log.warn(step, error.message);
        throw storeFailure(error);
      }
      const reference = randomUUID();
      this.#log.error({ err: error, reference, ...step }, 'A step failed');
      throw ApplicationFailure.create({
        type: 'fault',
        message: `An unexpected fault in ${info.activityType}: the workers' log has it under ${reference}.`,
      });
    } finally {
      clearInterval(beats);
    }
  }
}
