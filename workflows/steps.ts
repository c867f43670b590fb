// The kinds of step and their patience. Each call says in a sentence what it is about, for Temporal's UI:
// `await database('Has this message come before?').recogniseDuplicate(receipt)`.
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '#activities/index.ts';
import { TASK_QUEUES } from './contract.ts';

// A dead worker is noticed by the missing heartbeat, not by the time-out of the whole step.
const HEARTBEAT_WITHIN = '5s';

/** Short, in one transaction, repeated until the database answers; run beside the workflow, named in its history. */
export function database(summary: string) {
  return databaseStep(summary, {});
}

/** As `database`, for what comes round again anyway. */
export function fewTries(summary: string) {
  return databaseStep(summary, { maximumAttempts: 3 });
}

function databaseStep(summary: string, limits: { maximumAttempts?: number }) {
  return proxyLocalActivities<Activities['inbox']>({
    startToCloseTimeout: '10s',
    retry: { initialInterval: '100ms', maximumInterval: '10s', ...limits },
    // A longer pause becomes a timer in the history, so that the workflow task does not wait with it.
    localRetryThreshold: '1s',
    summary,
  });
}

/** The model: slow, limited, sometimes wrong. It says itself when to come back. */
export function model(summary: string) {
  return proxyActivities<Pick<Activities['providers'], 'judgeMessage' | 'draftByModel' | 'redraftReply'>>({
    taskQueue: TASK_QUEUES.providers,
    startToCloseTimeout: '2m',
    heartbeatTimeout: HEARTBEAT_WITHIN,
    // The model's own failures are counted by the activity; a fault of ours is retried without an end.
    retry: { initialInterval: '2s', maximumInterval: '1m' },
    summary,
  });
}

/** Something that cannot be taken back: one attempt, the workflow looks at the facts before another. */
export function irreversible(summary: string) {
  return proxyActivities<Pick<Activities['providers'], 'transmitReply'>>({
    taskQueue: TASK_QUEUES.providers,
    startToCloseTimeout: '5m',
    heartbeatTimeout: HEARTBEAT_WITHIN,
    retry: { maximumAttempts: 1 },
    summary,
  });
}

/** A short look at a provider; the workflow decides whether to look again. */
export function provider(summary: string) {
  return proxyActivities<Pick<Activities['providers'], 'lookUpReply'>>({
    taskQueue: TASK_QUEUES.providers,
    startToCloseTimeout: '30s',
    heartbeatTimeout: HEARTBEAT_WITHIN,
    retry: { maximumAttempts: 1 },
    summary,
  });
}

/** Files at a provider. What cannot be fetched is said in the message, which does not wait for it for ever. */
export function media(summary: string) {
  return proxyActivities<Pick<Activities['providers'], 'fetchMedia'>>({
    taskQueue: TASK_QUEUES.providers,
    startToCloseTimeout: '3m',
    heartbeatTimeout: HEARTBEAT_WITHIN,
    retry: { initialInterval: '2s', maximumInterval: '1m' },
    summary,
  });
}

/** The virus scanner: a message's files wait for it, with a warning, and nothing else does. */
export function scanner(summary: string) {
  return proxyActivities<Pick<Activities['providers'], 'scanFiles'>>({
    taskQueue: TASK_QUEUES.providers,
    startToCloseTimeout: '10m',
    heartbeatTimeout: HEARTBEAT_WITHIN,
    retry: { initialInterval: '1s', maximumInterval: '1m' },
    summary,
  });
}

/** A mail of the installation to its admins. It is marked before it leaves, so that trying again is never a second one. */
export function notice(summary: string) {
  return proxyActivities<Pick<Activities['providers'], 'tellOfLostMailbox'>>({
    taskQueue: TASK_QUEUES.providers,
    startToCloseTimeout: '2m',
    heartbeatTimeout: HEARTBEAT_WITHIN,
    retry: { initialInterval: '2s', maximumInterval: '10m', maximumAttempts: 200 },
    summary,
  });
}

/** Temporal's own schedules: short, repeated until they answer. */
export function schedules(summary: string) {
  return proxyActivities<Pick<Activities['providers'], 'applyIntegration'>>({
    taskQueue: TASK_QUEUES.providers,
    startToCloseTimeout: '30s',
    heartbeatTimeout: HEARTBEAT_WITHIN,
    retry: { initialInterval: '1s', maximumInterval: '30s' },
    summary,
  });
}

/** A connection that may last: a mailbox being read. */
export function connection(summary: string) {
  return proxyActivities<Activities['mailboxes']>({
    taskQueue: TASK_QUEUES.mailboxes,
    startToCloseTimeout: '2h',
    heartbeatTimeout: HEARTBEAT_WITHIN,
    retry: { initialInterval: '2s', maximumInterval: '30s', maximumAttempts: 3 },
    summary,
  });
}

/** Waits for news on one connection; who lost it, or its worker, opens it again (workflows/watch-mailbox.ts). */
export function watching(summary: string) {
  return proxyActivities<Activities['watching']>({
    taskQueue: TASK_QUEUES.watching,
    startToCloseTimeout: '7h',
    // Each sign of life of each mailbox is work for Temporal: half as many as elsewhere.
    heartbeatTimeout: '10s',
    retry: { maximumAttempts: 1 },
    summary,
  });
}
