// The process that serves the API, the live events and the screens.
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RequestHandler } from 'express';
import pg from 'pg';
import { openAttachmentStore } from '#domain/attachments/open-store.ts';
import { ConfigurationProblem, installationMailFrom } from '#domain/configuration.ts';
import { letGoOfLostConnections } from '#domain/database/lost-connections.ts';
import { Database } from '#domain/database/orm.ts';
import { oauthProvidersFrom } from '#domain/integrations/oauth-provider.ts';
import { createLog } from '#domain/record/log.ts';
import { KeyRing } from '#domain/secrets/key-ring.ts';
import { createApp } from './app.ts';
import { type ApiConfig, readApiConfig } from './config.ts';
import { LiveFeed } from './live.ts';
import { createSignIn } from './sign-in.ts';
import { TemporalLinks } from './temporal.ts';
import { ReceiptWriter } from './webhooks/receipt-writer.ts';

const CLOSE_WITHIN_MS = 10_000;

async function main(): Promise<void> {
  const config = readApiConfig();
  const log = createLog('api', config.LOG_LEVEL);
  const database = await Database.open({ url: config.DATABASE_URL, poolSize: config.DATABASE_POOL_SIZE });
  const identity = new pg.Pool({ connectionString: config.DATABASE_URL, options: '-c search_path=auth', max: 5 });
  letGoOfLostConnections(identity);
  const live = new LiveFeed(database, config.DATABASE_DIRECT_URL ?? config.DATABASE_URL, log);
  await live.start();
  const app = createApp({
    database,
    identity,
    signIn: createSignIn({ pool: identity, secret: config.AUTH_SECRET, publicUrl: config.publicUrl }),
    keys: new KeyRing(config.ENCRYPTION_KEY, config.ENCRYPTION_KEYS_PREVIOUS),
    attachments: await openAttachmentStore(config, log),
    receipts: new ReceiptWriter(database),
    live,
    temporal: new TemporalLinks(config.TEMPORAL_UI_URL, config.TEMPORAL_NAMESPACE),
    log,
    publicUrl: config.publicUrl,
    setupToken: config.SETUP_TOKEN ?? null,
    trustProxy: config.TRUST_PROXY,
    oauth: oauthProvidersFrom(config),
    sendingAccounts: { installationFrom: installationMailFrom(config.SMTP_URL, config.MAIL_FROM)?.from ?? null },
    undoMs: config.UNDO_SECONDS * 1000,
    webhookCallsPerMinute: config.WEBHOOK_CALLS_PER_MINUTE,
    screens: await screens(config),
  });
  const server = createServer(app).listen(config.PORT, config.HOST);
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  log.info({ port: config.PORT }, 'The API is ready');
  process.send?.('ready');

  onceAskedToStop(async () => {
    await live.stop();
    await closed(server);
    await identity.end();
    await database.close();
    log.info('The API has stopped');
    process.exit(0);
  });
}

// SvelteKit's own handler, last in line. Without the header it takes every visitor for one on https, and refuses forms.
async function screens(config: ApiConfig): Promise<RequestHandler | null> {
  if (!config.UI_BUILD) return null;
  process.env.PROTOCOL_HEADER = 'x-forwarded-proto';
  const build = pathToFileURL(path.resolve(config.UI_BUILD, 'handler.js'));
  const { handler } = (await import(build.href)) as { handler: RequestHandler };
  return (request, response, next) => {
    request.headers['x-forwarded-proto'] = request.protocol;
    handler(request, response, next);
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS).unref();
  });
}

function onceAskedToStop(stop: () => Promise<void>): void {
  let asked = false;
  const once = () => {
    if (asked) return;
    asked = true;
    stop().catch((error) => {
      console.error(error);
      process.exit(1);
    });
  };
  process.on('SIGTERM', once);
  process.on('SIGINT', once);
  process.on('disconnect', once);
}

main().catch((error) => {
  console.error(error instanceof ConfigurationProblem ? error.message : error);
  process.exit(1);
});
