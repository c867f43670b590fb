// Keeps fetched mails as receipts, together with the cursor of their folder and the request for their runs: all of a
// bundle is committed, or nothing. A receipt's source id makes keeping it again harmless.
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { queries } from '#domain/database/tables.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { MailboxCursor } from '#domain/integrations/mailbox-cursor.ts';
import { RECEIPT_RETENTION_DAYS, Receipt, type ReceiptOrigin } from '#domain/integrations/receipt.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { announce } from '#domain/record/event.ts';
import { startReceiveMessage, startReceiveMessages } from '#domain/record/run-request.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { type Bundle, type FetchedMail, TOO_LARGE } from './providers/imap-folder.ts';

/** How long a silent holder of a mailbox is believed; who holds it renews this while it works. */
export const LEASE_MS = 30_000;
const A_DAY_MS = 24 * 3600_000;
/** The mail server's clock and ours. */
const CLOCKS_DIFFER_MS = 5 * 60_000;

export type SyncRef = { tenantId: string; integrationId: string; syncId: string; byHand?: boolean };

export type FolderState = {
  path: string;
  uidValidity: string;
  /** When it was looked at for the first time; null when that is now. */
  firstSeenAt: Date | null;
  /** Whatever its mails say of their age: a person had them fetched afterwards. */
  isOld?: boolean;
};

/**
 * Never two at a time for one mailbox: who holds the lease renews it, and a dead holder loses it. By hand a paused
 * mailbox is read as well; a removed one never.
 * @returns false when somebody else holds it, or nobody may any more
 */
export async function takeLease(em: EntityManager, ref: SyncRef): Promise<boolean> {
  const taken = await em.execute<{ affectedRows: number }>(
    `update integration set syncing_by = ?, syncing_until = now() + ? * interval '1 millisecond'
      where id = ? and channel = 'email' and removed_at is null and (state = 'active' or ?)
        and (syncing_until is null or syncing_until < now() or syncing_by = ?)`,
    [ref.syncId, LEASE_MS, ref.integrationId, ref.byHand === true, ref.syncId],
    'run',
  );
  return taken.affectedRows === 1;
}

export async function releaseLease(em: EntityManager, ref: SyncRef): Promise<void> {
  await em.execute('update integration set syncing_until = null where id = ? and syncing_by = ?', [
    ref.integrationId,
    ref.syncId,
  ]);
}

/** @returns how many were not kept before, or null when the mailbox is not ours to read any more: nothing was kept */
export async function keepBundle(
  em: EntityManager,
  ref: SyncRef,
  integration: Integration,
  folder: FolderState,
  bundle: Bundle & { remaining: number },
): Promise<number | null> {
  if (!(await takeLease(em, ref))) return null;
  const kept = await keepMails(em, ref, integration, folder, bundle.mails);
  await moveCursor(em, ref, folder, bundle.upTo);
  await noteNewest(em, integration, folder, bundle.mails);
  const sync = await em.findOneOrFail(Sync, { id: ref.syncId });
  sync.seen += bundle.mails.length;
  sync.kept += kept;
  sync.remaining = bundle.remaining;
  announce(em, 'sync.progressed', null, { syncId: ref.syncId, seen: sync.seen, kept: sync.kept });
  return kept;
}

/**
 * Keeps mail that lies behind the cursor: neither cursor nor lease are touched, and nothing of it is ever answered.
 * @returns how many were not kept before, or null when the walk is over: it was cancelled, or the mailbox removed
 */
export async function keepOlderMails(
  em: EntityManager,
  ref: SyncRef,
  integration: Integration,
  folder: FolderState,
  { mails, remaining }: { mails: FetchedMail[]; remaining: number },
): Promise<number | null> {
  const sync = await runningBackfill(em, ref);
  if (!sync) return null;
  const kept = await keepMails(em, ref, integration, { ...folder, isOld: true }, mails);
  sync.seen += mails.length;
  sync.kept += kept;
  sync.remaining = remaining;
  announce(em, 'sync.progressed', null, { syncId: ref.syncId, seen: sync.seen, kept: sync.kept });
  return kept;
}

/** The row of a walk through older mail, held until the transaction ends; null when it is over. */
export async function runningBackfill(em: EntityManager, { syncId, integrationId }: SyncRef): Promise<Sync | null> {
  const connected = await em.count(Integration, { id: integrationId, removedAt: null });
  if (connected === 0) return null;
  return em.findOne(Sync, { id: syncId, state: 'running' }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

/** Which of these mails of a folder no receipt was ever made of. */
export async function neverKept(
  em: EntityManager,
  { integrationId, path, uidValidity }: Pick<MailboxCursor, 'integrationId' | 'path' | 'uidValidity'>,
  uids: readonly number[],
): Promise<number[]> {
  const rows = await em.execute<{ uid: number }[]>(
    `select uid::int from unnest(?::bigint[]) as uid
      where not exists (select 1 from receipt where integration_id = ? and source_id = ? || uid) order by uid`,
    [`{${uids.join(',')}}`, integrationId, sourceIdOf(path, uidValidity, '')],
  );
  return rows.map(({ uid }) => uid);
}

/** Gives a receipt that had been set aside without content what the server now hands over, and a run. */
export async function completeReceipt(em: EntityManager, ref: SyncRef, id: string, mail: FetchedMail): Promise<void> {
  const receipt = await em.findOne(Receipt, { id, state: 'set_aside' });
  if (!receipt || !mail.raw || !(await takeLease(em, ref))) return;
  receipt.raw = mail.raw;
  receipt.state = 'kept';
  receipt.problem = null;
  receipt.runs += 1;
  receipt.syncId = ref.syncId;
  receipt.origin = { ...receipt.origin, size: mail.size, truncated: mail.problem === TOO_LARGE };
  receipt.expiresAt = new Date(Date.now() + RECEIPT_RETENTION_DAYS * A_DAY_MS);
  startReceiveMessage(em, ref.tenantId, id, receipt.runs);
}

async function moveCursor(em: EntityManager, ref: SyncRef, folder: FolderState, lastUid: number): Promise<void> {
  await em.upsert(
    MailboxCursor,
    {
      id: newId(),
      tenantId: ref.tenantId,
      createdAt: new Date(),
      integrationId: ref.integrationId,
      path: folder.path,
      uidValidity: folder.uidValidity,
      lastUid,
      checkedAt: new Date(),
    },
    {
      onConflictFields: ['tenantId', 'integrationId', 'path'],
      onConflictMergeFields: ['uidValidity', 'lastUid', 'checkedAt'],
    },
  );
}

// The lag tells how fresh the inbox is, so what was old when it was found says nothing of it.
async function noteNewest(
  em: EntityManager,
  integration: Integration,
  folder: FolderState,
  mails: FetchedMail[],
): Promise<void> {
  const newest = mails.reduce<FetchedMail | null>(
    (best, mail) => (mail.receivedAt && mail.receivedAt > (best?.receivedAt ?? 0) ? mail : best),
    null,
  );
  if (!newest?.receivedAt) return;
  const lagMs = isOlder(newest, integration, folder) ? null : Math.max(0, Date.now() - newest.receivedAt.getTime());
  await em.execute(
    'update integration set last_mail_at = ?, lag_ms = ? where id = ? and (last_mail_at is null or last_mail_at < ?)',
    [newest.receivedAt, lagMs, integration.id, newest.receivedAt],
  );
}

/** In one statement, its values bound: mails are large, and fifty come at a time. @returns how many were not kept before */
async function keepMails(
  em: EntityManager,
  ref: SyncRef,
  integration: Integration,
  folder: FolderState,
  mails: FetchedMail[],
): Promise<number> {
  if (mails.length === 0) return 0;
  const kept = await queries(em)
    .insertInto('receipt')
    .values(mails.map((mail) => receiptOf(ref, integration, folder, mail)))
    .onConflict((conflict) => conflict.columns(['tenant_id', 'integration_id', 'source_id']).doNothing())
    .returning(['id', 'state'])
    .execute();
  const readable = kept.filter(({ state }) => state === 'kept');
  await startReceiveMessages(
    em,
    ref.tenantId,
    readable.map(({ id }) => id),
  );
  for (const { id, state } of kept) if (state !== 'kept') announce(em, 'message.set_aside', null, { receiptId: id });
  return kept.length;
}

function receiptOf(ref: SyncRef, integration: Integration, folder: FolderState, mail: FetchedMail) {
  const origin: ReceiptOrigin = {
    folder: folder.path,
    uid: mail.uid,
    uidValidity: folder.uidValidity,
    size: mail.size,
    ...(mail.receivedAt ? { receivedAt: mail.receivedAt.toISOString() } : {}),
    backfill: isOlder(mail, integration, folder),
    truncated: mail.problem === TOO_LARGE,
    ...(folder.path === integration.mailboxSettings().junkFolder ? { junk: true } : {}),
  };
  return {
    id: newId(),
    tenant_id: ref.tenantId,
    created_at: new Date(),
    integration_id: ref.integrationId,
    sync_id: ref.syncId,
    source_id: sourceIdOf(folder.path, folder.uidValidity, mail.uid),
    format: 'email' as const,
    raw: mail.raw,
    origin,
    state: mail.raw ? ('kept' as const) : ('set_aside' as const),
    problem: mail.raw ? null : mail.problem,
    runs: 1,
    expires_at: new Date(Date.now() + RECEIPT_RETENTION_DAYS * A_DAY_MS),
  };
}

function sourceIdOf(path: string, uidValidity: string, uid: number | ''): string {
  return `${path}/${uidValidity}/${uid}`;
}

// Mail from before the mailbox was connected is sorted, and never answered; nor is what already lay in a folder that was
// added later.
function isOlder(mail: FetchedMail, integration: Integration, folder: FolderState): boolean {
  if (folder.isOld) return true;
  if (!mail.receivedAt) return false;
  const connectedAt = integration.createdAt.getTime() - CLOCKS_DIFFER_MS;
  const firstLookAt = (folder.firstSeenAt ?? new Date()).getTime() - A_DAY_MS;
  return mail.receivedAt.getTime() < Math.max(connectedAt, firstLookAt);
}
