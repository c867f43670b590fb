// The process that runs workflows and activities. It waits for its servers, says when it is ready, and ends what it has
// begun before it stops.
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import { PATIENCE } from '#activities/dependencies.ts';
import { createActivities } from '#activities/index.ts';
import { prepareLanguageDetection } from '#activities/readers/language.ts';
import { openAttachmentStore } from '#domain/attachments/open-store.ts';
import { ConfigurationProblem, installationMailFrom } from '#domain/configuration.ts';
import { Database } from '#domain/database/orm.ts';
import { oauthProvidersFrom } from '#domain/integrations/oauth-provider.ts';
import { createLog, type Log } from '#domain/record/log.ts';
import { KeyRing } from '#domain/secrets/key-ring.ts';
import { TASK_QUEUES } from '#workflows/contract.ts';
import { readWorkersConfig, type WorkersConfig } from './config.ts';
import { ensureSchedules } from './house-schedule.ts';
import { createInboxWorker, INBOX_STEPS_AT_ONCE } from './inbox.ts';
import { createMailboxesWorker } from './mailboxes.ts';
import { createProvidersWorker } from './providers.ts';
import { Relay } from './relay.ts';
import { createWatchingWorker } from './watching.ts';
import type { WorkerContext } from './worker-options.ts';

const CREATE_WORKER = {
  [TASK_QUEUES.inbox]: createInboxWorker,
  [TASK_QUEUES.mailboxes]: createMailboxesWorker,
  [TASK_QUEUES.providers]: createProvidersWorker,
  [TASK_QUEUES.watching]: createWatchingWorker,
};

async function main(): Promise<void> {
  const config = readWorkersConfig();
  const log = createLog('workers', config.LOG_LEVEL);
  installRuntime(log);
  const connection = await connected(config, log);
  const database = await Database.open({
    url: config.DATABASE_URL,
    poolSize: Math.max(config.DATABASE_POOL_SIZE, INBOX_STEPS_AT_ONCE + 4),
  });
  const temporal = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
  const activities = createActivities({
    database,
    keys: new KeyRing(config.ENCRYPTION_KEY, config.ENCRYPTION_KEYS_PREVIOUS),
    attachments: await openAttachmentStore(config, log),
    temporal,
    installationMail: installationMailFrom(config.SMTP_URL, config.MAIL_FROM),
    oauth: oauthProvidersFrom(config),
    appUrl: config.APP_URL?.replace(/\/$/, '') ?? null,
    vonageUrl: config.VONAGE_URL,
    filesOrigin: config.WEBHOOK_FILES_ORIGIN ?? null,
    scanner: config.CLAMAV_ADDRESS ?? null,
    patience: {
      ...PATIENCE,
      quietMs: config.QUIET_MS,
      modelTimeoutMs: config.MODEL_TIMEOUT_MS,
      smtpTimeoutMs: config.SMTP_TIMEOUT_MS,
    },
  });
  const context: WorkerContext = {
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    bundle: config.WORKFLOW_BUNDLE,
    log,
  };
  const workers = await Promise.all(config.WORKER_QUEUES.map((queue) => CREATE_WORKER[queue](context, activities)));
  const relay = config.WORKER_QUEUES.includes(TASK_QUEUES.inbox)
    ? new Relay({ database, listenUrl: config.DATABASE_DIRECT_URL ?? config.DATABASE_URL, temporal, log })
    : null;
  const running = workers.map((worker) => worker.run());
  relay?.start();
  if (relay) await untilItWorks(log, 'The schedules could not be made', () => ensureSchedules(temporal, activities));
  const health = serveHealth(config, workers);
  log.info({ queues: config.WORKER_QUEUES }, 'The workers are ready');
  process.send?.('ready');
  await prepareLanguageDetection();

  onceAskedToStop(() => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  });
  await Promise.all(running);
  await relay?.stop();
  health?.close();
  await database.close();
  await connection.close();
  log.info('The workers have stopped');
}

function installRuntime(log: Log): void {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      log[level === 'ERROR' ? 'error' : 'warn']({ meta }, message);
    }),
    // Signals are ours: the relay and the database have to be closed in their turn.
    shutdownSignals: [],
  });
}

function connected(config: WorkersConfig, log: Log): Promise<NativeConnection> {
  return untilItWorks(log, 'Temporal does not answer yet', () =>
    NativeConnection.connect({ address: config.TEMPORAL_ADDRESS }),
  );
}

/** Servers start and restart in any order: waits for them instead of dying. */
async function untilItWorks<Result>(log: Log, sentence: string, work: () => Promise<Result>): Promise<Result> {
  for (let waitMs = 200; ; waitMs = Math.min(waitMs * 2, 5_000)) {
    try {
      return await work();
    } catch (error) {
      log.warn({ err: error }, sentence);
      await delay(waitMs);
    }
  }
}

function serveHealth(config: WorkersConfig, workers: Worker[]): Server | null {
  if (!config.WORKER_HEALTH_PORT) return null;
  return createServer((request, response) => {
    const running = workers.every((worker) => worker.getState() === 'RUNNING');
    response.statusCode = request.url === '/healthz' || running ? 200 : 503;
    response.end(running ? 'running\n' : 'not running\n');
  }).listen(config.WORKER_HEALTH_PORT);
}

function onceAskedToStop(stop: () => void): void {
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // Started by the local house: when that is gone, nobody would ever stop us.
  process.once('disconnect', stop);
}

main().then(
  // The channel to whoever started us would keep the process alive.
  () => process.exit(0),
  (error) => {
    console.error(error instanceof ConfigurationProblem ? error.message : error);
    process.exit(1);
  },
);
