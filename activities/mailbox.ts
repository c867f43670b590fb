// The mailbox door: reads what is new and keeps it as receipts, in batches that are committed together with the cursor.
// Whatever is cut off in between is fetched again, and a receipt's source id makes again harmless.

import type { EntityManager } from '@mikro-orm/postgresql';
import { Context } from '@temporalio/activity';
import type { FetchMessageObject, ImapFlow } from 'imapflow';
import { faultPoint } from '#domain/fault-point.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { MailboxCursor } from '#domain/integrations/mailbox-cursor.ts';
import { RECEIPT_RETENTION_DAYS, type ReceiptOrigin } from '#domain/integrations/receipt.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { announce } from '#domain/record/event.ts';
import { startReceiveMessage } from '#domain/record/run-request.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { Dependencies } from './dependencies.ts';
import { imapAccount, withMailbox } from './providers/imap.ts';

const BATCH = 50;
/** Larger mails are kept as headers and the beginning of their text, and said so. */
const LARGEST_MAIL_BYTES = 26_000_000;
const KEPT_OF_LARGER_BYTES = 256_000;
const LEASE_MS = 30_000;
const A_DAY_MS = 24 * 3600_000;

export type SyncRef = { tenantId: string; integrationId: string; syncId: string };
export type SyncEnd = { seen: number; kept: number };

export function createMailbox(dependencies: Dependencies) {
  const { database } = dependencies;

  return {
    /** Opens the record of a sync; false when the mailbox is paused, or another look at it is under way. */
    async beginSync({ tenantId, integrationId, syncId, byHand }: SyncRef & { byHand: boolean }): Promise<boolean> {
      return database.inTenant(tenantId, async (em) => {
        const integration = await em.findOne(Integration, { id: integrationId, channel: 'email', removedAt: null });
        if (!integration || (integration.state !== 'active' && !byHand)) return false;
        if (!(await takeLease(em, integrationId, syncId))) {
          if (byHand) await endSync(em, syncId, 'cancelled', 'Another synchronisation of this mailbox is under way.');
          return false;
        }
        const known = await em.findOne(Sync, { id: syncId });
        if (!known) em.create(Sync, { id: syncId, integrationId, trigger: 'schedule' });
        return true;
      });
    },

    /**
     * Fetches everything beyond the cursor of every folder.
     * @throws ApplicationFailure as activities/failures.ts says
     */
    async fetchNewMail(ref: SyncRef): Promise<SyncEnd> {
      const account = await imapAccount(dependencies, ref.tenantId, ref.integrationId);
      const total: SyncEnd = { seen: 0, kept: 0 };
      await withMailbox(account, async (client) => {
        for (const path of account.integration.mailboxSettings().folders) {
          await readFolder(dependencies, ref, client, account.integration, path, total);
        }
      });
      return total;
    },

    /** Closes the record and tells the integration's health; `problem` is a sentence for its page. */
    async finishSync(ref: SyncRef & { problem: string | null; needsPerson: boolean }): Promise<void> {
      await database.inTenant(ref.tenantId, async (em) => {
        const integration = await em.findOneOrFail(Integration, { id: ref.integrationId });
        const before = integration.state;
        if (ref.problem) integration.failed(new Date(), ref.problem, ref.needsPerson);
        else integration.succeeded(new Date());
        await endSync(em, ref.syncId, ref.problem ? 'failed' : 'done', ref.problem);
        await dropIfIdle(em, ref.syncId);
        await em.execute('update integration set syncing_until = null where id = ? and syncing_by = ?', [
          ref.integrationId,
          ref.syncId,
        ]);
        if (integration.state !== before) announce(em, 'settings.changed', null, { integrationId: ref.integrationId });
      });
    },
  };
}

async function endSync(
  em: EntityManager,
  syncId: string,
  state: 'done' | 'failed' | 'cancelled',
  error: string | null,
) {
  const sync = await em.findOneOrFail(Sync, { id: syncId });
  sync.state = state;
  sync.error = error;
  sync.finishedAt = new Date();
  announce(em, 'sync.progressed', null, { syncId, state });
}

// A look every minute that found nothing is no news: the integration's `lastSuccessAt` says as much.
async function dropIfIdle(em: EntityManager, syncId: string): Promise<void> {
  await em.flush();
  await em.nativeDelete(Sync, { id: syncId, trigger: 'schedule', state: 'done', seen: 0 });
}

// Never two at a time for one mailbox: who holds the lease renews it with every batch, and a dead holder loses it.
async function takeLease(em: EntityManager, integrationId: string, syncId: string): Promise<boolean> {
  const taken = await em.execute<{ affectedRows: number }>(
    `update integration set syncing_by = ?, syncing_until = now() + ? * interval '1 millisecond'
      where id = ? and (syncing_until is null or syncing_until < now() or syncing_by = ?)`,
    [syncId, LEASE_MS, integrationId, syncId],
    'run',
  );
  return taken.affectedRows === 1;
}

async function readFolder(
  dependencies: Dependencies,
  ref: SyncRef,
  client: ImapFlow,
  integration: Integration,
  path: string,
  total: SyncEnd,
): Promise<void> {
  const folder = await client.mailboxOpen(path, { readOnly: true });
  const uidValidity = String(folder.uidValidity);
  let lastUid = await startingPoint(dependencies, ref, client, integration, path, uidValidity);
  // A folder where nothing is new costs this one comparison, however many mails it holds.
  if (folder.uidNext !== undefined && folder.uidNext <= lastUid + 1) return;
  const uids = await newUids(client, lastUid);
  for (let start = 0; start < uids.length; start += BATCH) {
    Context.current().cancellationSignal.throwIfAborted();
    const batch = uids.slice(start, start + BATCH);
    const mails = await fetchBatch(client, batch);
    await faultPoint('imap.after_fetch');
    lastUid = batch.at(-1)!;
    const kept = await keepBatch(dependencies, ref, integration, {
      path,
      uidValidity,
      lastUid,
      mails,
      remaining: uids.length - start - batch.length,
    });
    await faultPoint('imap.after_commit');
    total.seen += batch.length;
    total.kept += kept;
  }
}

/** The last UID that was read, found anew when this folder was never read or its UIDVALIDITY has changed. */
async function startingPoint(
  { database }: Dependencies,
  ref: SyncRef,
  client: ImapFlow,
  integration: Integration,
  path: string,
  uidValidity: string,
): Promise<number> {
  const cursor = await database.inTenant(ref.tenantId, (em) =>
    em.findOne(MailboxCursor, { integrationId: ref.integrationId, path }),
  );
  if (cursor && cursor.uidValidity === uidValidity) return cursor.lastUid;
  // The old numbers mean nothing any more (RFC 9051, 2.3.1.1): everything since the chosen day is looked at again, and
  // what is known already is recognised by its content.
  const found = await client.search({ since: new Date(integration.mailboxSettings().since) }, { uid: true });
  const first = Array.isArray(found) && found.length > 0 ? Math.min(...found) : null;
  return (first ?? (client.mailbox ? client.mailbox.uidNext : 1)) - 1;
}

async function newUids(client: ImapFlow, lastUid: number): Promise<number[]> {
  const found = await client.search({ uid: `${lastUid + 1}:*` }, { uid: true });
  // `*` names the last mail even when its number is below the range.
  return (Array.isArray(found) ? found : []).filter((uid) => uid > lastUid).sort((a, b) => a - b);
}

type FetchedMail = { uid: number; raw: Buffer | null; receivedAt: Date | null; size: number; problem: string | null };

async function fetchBatch(client: ImapFlow, uids: number[]): Promise<FetchedMail[]> {
  const sizes = await collect(client, uids, { uid: true, size: true });
  const large = new Set(sizes.filter((mail) => (mail.size ?? 0) > LARGEST_MAIL_BYTES).map((mail) => mail.uid));
  const whole = uids.filter((uid) => !large.has(uid));
  const mails = [
    ...(await fetchSources(client, whole, true)),
    ...(await fetchSources(client, [...large], { maxLength: KEPT_OF_LARGER_BYTES })),
  ];
  return mails.map((mail) => ({
    ...mail,
    size: sizes.find((sized) => sized.uid === mail.uid)?.size ?? mail.size,
    problem: mail.problem ?? (large.has(mail.uid) ? 'too-large' : null),
  }));
}

// One mail the server stumbles over must not stop the others: then each is asked for alone.
async function fetchSources(
  client: ImapFlow,
  uids: number[],
  source: true | { maxLength: number },
): Promise<FetchedMail[]> {
  if (uids.length === 0) return [];
  const query = { uid: true, internalDate: true, source } as const;
  try {
    return (await collect(client, uids, query)).map(fetched);
  } catch (error) {
    if (!client.usable) throw error;
  }
  const mails: FetchedMail[] = [];
  for (const uid of uids) {
    try {
      mails.push(...(await collect(client, [uid], query)).map(fetched));
    } catch (error) {
      if (!client.usable) throw error;
      mails.push({
        uid,
        raw: null,
        receivedAt: null,
        size: 0,
        problem: 'The mail server could not hand this mail over.',
      });
    }
  }
  return mails;
}

async function collect(
  client: ImapFlow,
  uids: number[],
  query: Parameters<ImapFlow['fetch']>[1],
): Promise<FetchMessageObject[]> {
  const found: FetchMessageObject[] = [];
  for await (const mail of client.fetch(uids, query, { uid: true })) found.push(mail);
  return found;
}

function fetched(mail: FetchMessageObject): FetchedMail {
  const at = mail.internalDate ? new Date(mail.internalDate) : null;
  return {
    uid: mail.uid,
    raw: mail.source ?? null,
    receivedAt: at && !Number.isNaN(at.getTime()) ? at : null,
    size: mail.source?.length ?? 0,
    problem: mail.source ? null : 'The mail server gave no content for this mail.',
  };
}

type Batch = { path: string; uidValidity: string; lastUid: number; mails: FetchedMail[]; remaining: number };

/** @returns how many were not kept before */
async function keepBatch(
  { database }: Dependencies,
  ref: SyncRef,
  integration: Integration,
  batch: Batch,
): Promise<number> {
  return database.inTenant(ref.tenantId, async (em) => {
    if (!(await takeLease(em, ref.integrationId, ref.syncId)))
      throw new Error('Another synchronisation has taken over.');
    let kept = 0;
    for (const mail of batch.mails) {
      if (await keepMail(em, ref, integration, batch, mail)) kept += 1;
    }
    await em.upsert(
      MailboxCursor,
      {
        id: newId(),
        tenantId: ref.tenantId,
        createdAt: new Date(),
        integrationId: ref.integrationId,
        path: batch.path,
        uidValidity: batch.uidValidity,
        lastUid: batch.lastUid,
        checkedAt: new Date(),
      },
      {
        onConflictFields: ['tenantId', 'integrationId', 'path'],
        onConflictMergeFields: ['uidValidity', 'lastUid', 'checkedAt'],
      },
    );
    const sync = await em.findOneOrFail(Sync, { id: ref.syncId });
    sync.seen += batch.mails.length;
    sync.kept += kept;
    sync.remaining = batch.remaining;
    announce(em, 'sync.progressed', null, { syncId: ref.syncId, seen: sync.seen, kept: sync.kept });
    return kept;
  });
}

async function keepMail(
  em: EntityManager,
  ref: SyncRef,
  integration: Integration,
  batch: Batch,
  mail: FetchedMail,
): Promise<boolean> {
  const id = newId();
  const origin: ReceiptOrigin = {
    folder: batch.path,
    uid: mail.uid,
    uidValidity: batch.uidValidity,
    size: mail.size,
    ...(mail.receivedAt ? { receivedAt: mail.receivedAt.toISOString() } : {}),
    backfill: isOlder(mail, integration),
    truncated: mail.problem === 'too-large',
  };
  const inserted = await em.execute<{ affectedRows: number }>(
    `insert into receipt (id, tenant_id, created_at, integration_id, sync_id, source_id, format, raw, origin, state, problem, expires_at)
     values (?, ?, now(), ?, ?, ?, 'email', ?, ?, ?, ?, now() + ? * interval '1 millisecond')
     on conflict (tenant_id, integration_id, source_id) do nothing`,
    [
      id,
      ref.tenantId,
      ref.integrationId,
      ref.syncId,
      `${batch.path}/${batch.uidValidity}/${mail.uid}`,
      mail.raw,
      JSON.stringify(origin),
      mail.raw ? 'kept' : 'set_aside',
      mail.raw ? null : mail.problem,
      RECEIPT_RETENTION_DAYS * A_DAY_MS,
    ],
    'run',
  );
  if (inserted.affectedRows === 0) return false;
  if (mail.raw) startReceiveMessage(em, ref.tenantId, id);
  else announce(em, 'message.set_aside', null, { receiptId: id });
  return true;
}

// Mail from before the mailbox was connected is sorted, and never answered.
function isOlder(mail: FetchedMail, integration: Integration): boolean {
  return mail.receivedAt !== null && mail.receivedAt.getTime() < integration.createdAt.getTime() - A_DAY_MS / 24;
}
