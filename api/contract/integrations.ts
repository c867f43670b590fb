import { z } from 'zod';
import { LIMIT_PERIODS } from '#domain/rules/sending-limit.ts';
import { CHANNELS, MAIL_SERVER_SOURCES, OAUTH_PROVIDERS, SIGNATURE_ALGORITHMS } from '#domain/rules/words.ts';
import { byId, nothing, pageOf, route } from './route.ts';

export const mailServer = z.object({
  host: z
    .string()
    .trim()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9.-]+$/i, 'is a server name such as imap.example.com'),
  port: z.int().min(1).max(65_535),
  security: z.enum(['tls', 'starttls', 'none']),
  username: z.string().min(1).max(320),
});

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3})$/i;

/** A password crosses the network encrypted, or does not cross it. */
const typedMailServer = mailServer.refine(({ security, host }) => security !== 'none' || LOOPBACK.test(host), {
  path: ['security'],
  message: 'must be tls or starttls, unless the server runs on this machine',
});

/** Paths, as the mail server names them. */
export const mailboxFolders = z.array(z.string().min(1).max(500)).min(1).max(20);

export const mailboxFields = z.object({
  address: z.email().max(254),
  imap: typedMailServer,
  smtp: typedMailServer,
  password: z.string().min(1).max(1_000),
});

const sendingLimit = z.object({ count: z.int().min(1).max(100_000), per: z.enum(LIMIT_PERIODS) });

export const integrationView = z
  .object({
    id: z.uuid(),
    channel: z.enum(CHANNELS),
    name: z.string(),
    address: z.string(),
    state: z.enum(['active', 'paused', 'reconnect']),
    lastSuccessAt: z.iso.datetime().nullable(),
    lastError: z.string().nullable(),
    lastErrorAt: z.iso.datetime().nullable(),
    /** Since when every look at it has failed. */
    failingSince: z.iso.datetime().nullable(),
    /** When its schedule looks at it next; null while it is paused or waits for a person. */
    nextLookAt: z.iso.datetime().nullable(),
    /** When its server received the newest mail, and how long it was until it was here. */
    lastMailAt: z.iso.datetime().nullable(),
    lagMs: z.int().nullable(),
    /** Its mail is being read now. */
    isReading: z.boolean(),
    /** Its server tells of new mail by itself; null when that is not known. */
    isWatched: z.boolean().nullable(),
    mailbox: z
      .object({
        imap: mailServer,
        smtp: mailServer,
        senderName: z.string(),
        folders: z.array(z.string()),
        junkFolder: z.string().nullish(),
        since: z.string(),
        syncEverySeconds: z.int(),
        /** Opened by consent at this provider, and not by a password. */
        oauth: z.enum(OAUTH_PROVIDERS).nullable(),
        /** The company's own; without one, the usual one of the provider holds. */
        sendingLimit: sendingLimit.nullable(),
        usualLimit: sendingLimit,
        /** Whether answers are asked for at `name+…@`, which leads them back without any Message-ID. */
        subaddresses: z.boolean(),
      })
      .nullable(),
    webhook: z.object({ url: z.string(), replyThrough: z.uuid().nullable() }).nullable(),
    /** What its server offers to read; null until it was asked. */
    serverFolders: z.object({ paths: z.array(z.string()), junk: z.string().nullable() }).nullable(),
    number: z
      .object({
        apiKey: z.string(),
        applicationId: z.string().nullable(),
        signatureAlgorithm: z.enum(SIGNATURE_ALGORITHMS),
        threadWindowDays: z.int(),
        /** To paste into the Vonage dashboard. */
        inboundUrl: z.string(),
        statusUrl: z.string(),
      })
      .nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Integration' });

export const syncView = z
  .object({
    id: z.uuid(),
    state: z.enum(['running', 'done', 'failed', 'cancelled']),
    trigger: z.enum(['schedule', 'person', 'backfill']),
    seen: z.int(),
    remaining: z.int(),
    new: z.int(),
    duplicates: z.int(),
    newsletters: z.int(),
    failed: z.int(),
    /** Kept, and still on their way through their runs. */
    pending: z.int(),
    error: z.string().nullable(),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Sync' });

export const mailboxTrialView = z
  .object({
    id: z.uuid(),
    /** `waiting` until the person comes back from the provider. */
    state: z.enum(['waiting', 'running', 'passed', 'failed']),
    address: z.string(),
    oauth: z.enum(OAUTH_PROVIDERS).nullable(),
    /** The connected mailbox that is to be opened again. */
    integrationId: z.uuid().nullable(),
    problems: z.array(z.object({ where: z.enum(['imap', 'smtp', 'consent']), code: z.string(), host: z.string() })),
    folders: z.array(z.string()),
    /** The Junk folder among them. */
    junk: z.string().nullable().default(null),
    total: z.int(),
    mails: z.array(
      z.object({
        from: z.string().nullable(),
        subject: z.string(),
        receivedAt: z.iso.datetime(),
        kind: z.string(),
        reason: z.string(),
        folder: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'MailboxTrial' });

export const mailServersFound = z
  .object({
    provider: z.string().nullable(),
    imap: mailServer,
    smtp: mailServer,
    hint: z.string().nullable(),
    source: z.enum(MAIL_SERVER_SOURCES),
    /** The host or domain that said so. */
    foundAt: z.string().nullable(),
  })
  .meta({ id: 'MailServers' });

const callExample = z.object({ curl: z.string(), body: z.string() });

export const integrations = {
  listIntegrations: route({
    method: 'get',
    path: '/integrations',
    summary: 'Connected channels and their health',
    role: 'agent',
    reply: z.object({ integrations: z.array(integrationView) }),
  }),
  findMailServers: route({
    method: 'get',
    path: '/mailbox-presets',
    summary: 'The servers of an address, where its provider is known',
    role: 'admin',
    query: z.object({ address: z.email() }),
    reply: mailServersFound,
  }),
  tryMailbox: route({
    method: 'post',
    path: '/mailbox-trials',
    summary: 'Try servers and password, and see the last ten mails sorted; nothing is saved',
    role: 'admin',
    status: 202,
    body: mailboxFields,
    reply: z.object({ id: z.uuid() }),
  }),
  getMailboxTrial: route({
    method: 'get',
    path: '/mailbox-trials/{id}',
    summary: 'How a trial went',
    role: 'admin',
    params: byId,
    reply: mailboxTrialView,
  }),
  connectMailbox: route({
    method: 'post',
    path: '/mailboxes',
    summary: 'Connect the mailbox of a trial that passed',
    role: 'admin',
    status: 201,
    body: z.object({
      trialId: z.uuid(),
      name: z.string().trim().min(1).max(200),
      senderName: z.string().trim().max(200).default(''),
      /** Mail received before this day is left alone. */
      since: z.iso.date(),
      folders: mailboxFolders.default(['INBOX']),
      /** What lies in the Junk folder is kept as spam. */
      readJunk: z.boolean().default(true),
      syncEverySeconds: z.int().min(10).max(86_400).default(60),
    }),
    reply: integrationView,
  }),
  createWebhook: route({
    method: 'post',
    path: '/webhooks',
    summary: 'Create a webhook; its secret is shown this once',
    role: 'admin',
    status: 201,
    body: z.object({ name: z.string().trim().min(1).max(200), replyThrough: z.uuid().nullable().default(null) }),
    reply: z.object({ integration: integrationView, secret: z.string(), example: callExample }),
  }),
  rotateWebhookSecret: route({
    method: 'post',
    path: '/webhooks/{id}/secret',
    summary: 'A new secret; the one before works for another day',
    role: 'admin',
    status: 201,
    params: byId,
    reply: z.object({ secret: z.string(), example: callExample }),
  }),
  callWebhook: route({
    method: 'post',
    path: '/webhooks/{id}/test-call',
    summary: 'Sign and deliver a test message through the webhook door',
    role: 'admin',
    status: 201,
    params: byId,
    reply: z.object({ status: z.int(), answer: z.string() }),
  }),
  changeIntegration: route({
    method: 'patch',
    path: '/integrations/{id}',
    summary: 'Rename, pause or resume a channel, or change where a webhook is answered from',
    role: 'admin',
    params: byId,
    body: z.object({
      name: z.string().trim().min(1).max(200).optional(),
      state: z.enum(['active', 'paused']).optional(),
      senderName: z.string().trim().max(200).optional(),
      /** How much a mailbox sends; null is what is usual for its provider. */
      sendingLimit: sendingLimit.nullable().optional(),
      /** Whether its server takes `name+anything@` for it. */
      subaddresses: z.boolean().optional(),
      replyThrough: z.uuid().nullable().optional(),
    }),
    reply: integrationView,
  }),
  removeIntegration: route({
    method: 'delete',
    path: '/integrations/{id}',
    summary: 'Disconnect a channel; its conversations stay',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
  syncIntegration: route({
    method: 'post',
    path: '/integrations/{id}/sync',
    summary: 'Synchronise a mailbox now',
    role: 'agent',
    status: 202,
    params: byId,
    reply: syncView,
  }),
  getSync: route({
    method: 'get',
    path: '/syncs/{id}',
    summary: 'Progress and result of a synchronisation',
    role: 'agent',
    params: byId,
    reply: syncView,
  }),
  listSetAside: route({
    method: 'get',
    path: '/receipts',
    summary: 'Messages that could not be read and wait for a person',
    role: 'admin',
    query: z.object({ cursor: z.string().max(200).optional() }),
    reply: pageOf(
      z.object({
        id: z.uuid(),
        integrationId: z.uuid(),
        format: z.string(),
        problem: z.string().nullable(),
        size: z.int().nullable(),
        createdAt: z.iso.datetime(),
      }),
    ),
  }),
  retryReceipt: route({
    method: 'post',
    path: '/receipts/{id}/retry',
    summary: 'Read a message that was set aside again',
    role: 'admin',
    status: 202,
    params: byId,
    reply: nothing,
  }),
};
