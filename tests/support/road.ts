// The road of a message with its real parts in one process: database, Temporal, workers, relay, API, and an SMTP server
// that records. Only the model is a stand-in.

import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, NetConnectOpts } from 'node:net';
import path from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import pg from 'pg';
import { PATIENCE, type Patience } from '#activities/dependencies.ts';
import { createActivities } from '#activities/index.ts';
import { createApp } from '#api/app.ts';
import { type ApiClient, createClient } from '#api/contract/client.ts';
import { contract, type RelaisContract } from '#api/contract/contract.ts';
import { LiveFeed } from '#api/live.ts';
import { createCompany, createUser } from '#api/people/create-company.ts';
import { createSignIn, type SignIn } from '#api/sign-in.ts';
import { TemporalLinks } from '#api/temporal.ts';
import { ReceiptWriter } from '#api/webhooks/receipt-writer.ts';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';
import { DiskStore } from '#domain/attachments/disk-store.ts';
import { installationMailFrom } from '#domain/configuration.ts';
import { letGoOfLostConnections } from '#domain/database/lost-connections.ts';
import { Integration } from '#domain/integrations/integration.ts';
import type { OAuthProviders } from '#domain/integrations/oauth-provider.ts';
import { Receipt, type ReceiptOrigin } from '#domain/integrations/receipt.ts';
import { signWebhook } from '#domain/integrations/webhook-signature.ts';
import type { Role } from '#domain/people/role.ts';
import { createLog } from '#domain/record/log.ts';
import { startReceiveMessage } from '#domain/record/run-request.ts';
import { KeyRing } from '#domain/secrets/key-ring.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createInboxWorker } from '#workers/inbox.ts';
import { createMailboxesWorker } from '#workers/mailboxes.ts';
import { createProvidersWorker } from '#workers/providers.ts';
import { Relay } from '#workers/relay.ts';
import { createWatchingWorker } from '#workers/watching.ts';
import { workflowIds } from '#workflows/contract.ts';
import type { ReceiveMessageResult } from '#workflows/receive-message.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { MailSink } from './mail-sink.ts';
import { type TestTemporal, testTemporal } from './temporal.ts';
import { until } from './until.ts';

export const PASSWORD = 'correct horse battery';
export const TEST_KEY = Buffer.alloc(32, 7).toString('base64');

export type Person = { id: string; email: string; api: ApiClient<RelaisContract>; cookie: string };
export type Company = { tenantId: string; owner: Person };

export type RoadOptions = {
  patience?: Partial<Patience>;
  undoMs?: number;
  vonageUrl?: string;
  filesOrigin?: string;
  webhookCallsPerMinute?: number;
  oauth?: OAuthProviders;
  scanner?: NetConnectOpts;
  /** Where files lie; on a disk unless a test has another place. */
  attachments?: AttachmentStore;
  /** Called with the name of a step after it is done, before the run hears of it: when it throws, the step is repeated. */
  afterStep?: (step: string) => Promise<void>;
  /** Workers that wait for mailboxes to have news; without one a test has them to itself. */
  watchers?: number;
};

export class Road {
  readonly keys = new KeyRing(TEST_KEY);
  sink: MailSink;
  readonly db: TestDatabase;
  readonly temporal: TestTemporal;
  readonly url: string;
  readonly #identity: pg.Pool;
  readonly #signIn: SignIn;
  readonly #server: Server;
  readonly #live: LiveFeed;
  readonly #options: RoadOptions;
  readonly attachments: AttachmentStore;
  #stopWorkers: () => Promise<void> = async () => {};

  private constructor(parts: {
    sink: MailSink;
    db: TestDatabase;
    temporal: TestTemporal;
    server: Server;
    options: RoadOptions;
  }) {
    this.sink = parts.sink;
    this.db = parts.db;
    this.temporal = parts.temporal;
    this.#options = parts.options;
    this.attachments = parts.options.attachments ?? new DiskStore(path.join(process.env.TEST_HOME!, 'files', newId()));
    this.#server = parts.server;
    this.url = `http://127.0.0.1:${(parts.server.address() as AddressInfo).port}`;
    this.#identity = new pg.Pool({ connectionString: parts.db.url, options: '-c search_path=auth', max: 5 });
    letGoOfLostConnections(this.#identity);
    this.#signIn = createSignIn({
      pool: this.#identity,
      secret: 'a1b2c3d4-E5F6-test-only-0123456789-xyz',
      publicUrl: this.url,
    });
    this.#live = new LiveFeed(parts.db.database, parts.db.url, log);
  }

  static async open(options: RoadOptions = {}): Promise<Road> {
    const [sink, db, temporal] = await Promise.all([MailSink.open(), testDatabase(), testTemporal()]);
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const road = new Road({ sink, db, temporal, server, options });
    await road.#live.start();
    server.on('request', road.#app());
    await road.startWorkers();
    return road;
  }

  async startWorkers(): Promise<void> {
    const { connection, client } = this.temporal;
    const activities = createActivities({
      database: this.db.database,
      keys: this.keys,
      attachments: this.attachments,
      temporal: client,
      installationMail: this.#installationMail(),
      oauth: this.#options.oauth ?? {},
      appUrl: this.url,
      vonageUrl: this.#options.vonageUrl ?? 'http://127.0.0.1:9',
      filesOrigin: this.#options.filesOrigin ?? null,
      scanner: this.#options.scanner ?? null,
      patience: {
        ...PATIENCE,
        quietMs: 300,
        smtpTimeoutMs: 3_000,
        sendingPauseMs: 3_000,
        vonageTimeoutMs: 2_000,
        modelTimeoutMs: 1_000,
        ...this.#options.patience,
      },
    });
    const context = { connection, namespace: 'default', bundle: process.env.TEST_BUNDLE, log };
    // Two workers of one queue are two processes to Temporal: each has a connection of its own.
    const elsewhere = await Promise.all(
      Array.from({ length: this.#options.watchers ?? 0 }, () =>
        NativeConnection.connect({ address: this.temporal.address }),
      ),
    );
    const workers = await Promise.all([
      createInboxWorker(context, { ...activities, inbox: this.#observed(activities.inbox) }),
      createMailboxesWorker(context, activities),
      createProvidersWorker(context, { ...activities, providers: this.#observed(activities.providers) }),
      ...elsewhere.map((own) => createWatchingWorker({ ...context, connection: own }, activities)),
    ]);
    const running = workers.map((worker) => worker.run());
    const relay = new Relay({ database: this.db.database, listenUrl: this.db.url, temporal: client, log });
    relay.start();
    this.#stopWorkers = async () => {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await Promise.all(elsewhere.map((own) => own.close()));
      await relay.stop();
    };
  }

  #observed<Steps extends object>(steps: Steps): Steps {
    const { afterStep } = this.#options;
    if (!afterStep) return steps;
    const observed = Object.entries(steps).map(([name, step]) => [
      name,
      async (...input: unknown[]) => {
        const result = await step(...input);
        await afterStep(name);
        return result;
      },
    ]);
    return Object.fromEntries(observed);
  }

  stopWorkers(): Promise<void> {
    const stop = this.#stopWorkers;
    this.#stopWorkers = async () => {};
    return stop();
  }

  /** After a test has closed the mail server: the same port, the mails of before forgotten. */
  async reopenSink(port: number): Promise<void> {
    this.sink = await MailSink.open(port);
  }

  async close(): Promise<void> {
    await this.stopWorkers();
    await this.#live.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#identity.end();
    await this.sink.close();
    await this.temporal.close();
    await this.db.close();
  }

  /** A company with its owner signed in. */
  async company(name: string): Promise<Company> {
    const email = `owner@${name}.test`;
    const tenantId = await createCompany(this.#people(), {
      company: name,
      name: 'Owner',
      email,
      password: PASSWORD,
      locale: 'fr',
    });
    return { tenantId, owner: await this.signIn(email) };
  }

  /** One more person in a company, signed in. */
  async person(company: Company, role: Role, name: string): Promise<Person> {
    const email = `${name.toLowerCase()}@${company.tenantId.slice(-6)}.test`;
    await createUser(this.#people(), company.tenantId, role, { name, email, password: PASSWORD });
    return this.signIn(email);
  }

  async signIn(email: string): Promise<Person> {
    const answer = await fetch(`${this.url}/inbox/auth/sign-in/email`, {
      method: 'POST',
      // From an address of its own: the limit on sign-ins counts by address.
      headers: { 'content-type': 'application/json', origin: this.url, 'x-forwarded-for': addressOf(email) },
      body: JSON.stringify({ email, password: PASSWORD }),
    });
    if (!answer.ok) throw new Error(`Sign-in answered ${answer.status}: ${await answer.text()}`);
    const cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const api = createClient(contract, { baseUrl: this.url, headers: () => ({ cookie, origin: this.url }) });
    return { id: (await api.getMe()).user.id, email, api, cookie };
  }

  /** Sends a signed message to a custom webhook. */
  async deliver(
    webhook: { id: string; secret: string },
    message: Record<string, unknown>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const body = JSON.stringify(message);
    return fetch(`${this.url}/inbox/webhooks/custom/${webhook.id}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'relais-signature': signWebhook(webhook.secret, body, Math.floor(Date.now() / 1000)),
        ...headers,
      },
      body,
    });
  }

  /** A connected mailbox whose mail is put in by `receiveMail`; it sends through the recording server. */
  async mailbox(company: Company, address: string): Promise<string> {
    const id = newId();
    const server = { host: '127.0.0.1', port: this.sink.port, security: 'none' as const, username: address };
    await this.db.database.inTenant(company.tenantId, async (em) => {
      em.create(Integration, {
        id,
        channel: 'email',
        name: address,
        address,
        // Not read by a schedule: these tests put the mail in themselves.
        state: 'paused',
        settings: {
          imap: server,
          smtp: server,
          senderName: 'Acme',
          folders: ['INBOX'],
          since: '2026-01-01',
          syncEverySeconds: 60,
        },
      });
    });
    return id;
  }

  /** Keeps a mail as the mailbox door does: receipt and request in one transaction. */
  async receiveMail(company: Company, integrationId: string, raw: string, origin: ReceiptOrigin = {}): Promise<string> {
    const id = newId();
    await this.db.database.inTenant(company.tenantId, async (em) => {
      em.create(Receipt, {
        id,
        integrationId,
        sourceId: `INBOX/1/${id}`,
        format: 'email',
        raw: Buffer.from(raw.replace(/\r?\n/g, '\r\n')),
        origin: { receivedAt: new Date().toISOString(), ...origin },
        expiresAt: new Date(Date.now() + 3600_000),
      });
      startReceiveMessage(em, company.tenantId, id);
    });
    return id;
  }

  /** Waits for the run of a receipt and gives what it came to. */
  async runOf(company: Company, receiptId: string): Promise<ReceiveMessageResult> {
    const workflowId = workflowIds.receiveMessage(company.tenantId, receiptId);
    const handle = this.temporal.client.workflow.getHandle(workflowId);
    await until(`the run of ${receiptId} has begun`, () => handle.describe().catch(() => null));
    return handle.result();
  }

  #people() {
    return { database: this.db.database, signIn: this.#signIn };
  }

  #installationMail() {
    return installationMailFrom(this.sink.url, 'relais@inbox.test');
  }

  #app() {
    return createApp({
      database: this.db.database,
      identity: this.#identity,
      signIn: this.#signIn,
      keys: this.keys,
      attachments: this.attachments,
      receipts: new ReceiptWriter(this.db.database),
      live: this.#live,
      temporal: new TemporalLinks('http://temporal.test', 'default'),
      log,
      publicUrl: this.url,
      setupToken: null,
      trustProxy: 'loopback',
      oauth: this.#options.oauth ?? {},
      sendingAccounts: { installationFrom: this.#installationMail()?.from ?? null },
      undoMs: this.#options.undoMs ?? 0,
      webhookCallsPerMinute: this.#options.webhookCallsPerMinute ?? 10_000,
      screens: null,
    });
  }
}

const log = createLog('tests', (process.env.TEST_LOG as 'info' | undefined) ?? 'error');

function addressOf(email: string): string {
  const [a = 1, b = 1, c = 1] = createHash('sha256').update(email).digest();
  return `10.${a}.${b}.${c}`;
}
