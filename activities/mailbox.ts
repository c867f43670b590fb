// The mailbox door: reads what is new and keeps it as receipts, in bundles that are committed together with the cursor.
// Whatever is cut off in between is fetched again.
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ImapFlow } from 'imapflow';
import { faultPoint } from '#domain/fault-point.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { loseMailbox } from '#domain/integrations/lose-mailbox.ts';
import { MailboxCursor } from '#domain/integrations/mailbox-cursor.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { announce } from '#domain/record/event.ts';
import { Credential } from '#domain/secrets/credential.ts';
import type { Dependencies } from './dependencies.ts';
import {
  completeReceipt,
  type FolderState,
  keepBundle,
  LEASE_MS,
  neverKept,
  releaseLease,
  type SyncRef,
  takeLease,
} from './keep-mails.ts';
import { inMailbox } from './mailbox-access.ts';
import { foldersOf } from './providers/imap.ts';
import { type Bundle, beginningOf, fetchBundle, newUids, notHandedOver, uidsUpTo } from './providers/imap-folder.ts';

const MAILS_AT_ONCE = 50;
/** A server that goes away again and again is left alone until the next look. */
const MOST_RECONNECTS = 40;
/** So often a connection may end over one and the same mail before it is the mail's fault. */
const MOST_LOSSES = 2;
const ASKED_AGAIN_AT_ONCE = 50;
/** Of a larger folder the mails are counted, and compared one by one only when a person has it read. */
const MOST_COMPARED = 20_000;

export type SyncEnd = { seen: number; kept: number };

export function createMailbox(dependencies: Dependencies) {
  const { database } = dependencies;

  return {
    /** Opens the record of a sync; false when the mailbox is paused, or another look at it is under way. */
    async beginSync(ref: SyncRef & { byHand: boolean }): Promise<boolean> {
      const { tenantId, integrationId, syncId, byHand } = ref;
      return database.inTenant(tenantId, async (em) => {
        const known = await em.findOne(Sync, { id: syncId });
        if (!(await takeLease(em, ref))) {
          if (known && byHand) endSync(em, known, 'cancelled', await reasonToLeaveIt(em, integrationId));
          return false;
        }
        if (!known) em.create(Sync, { id: syncId, integrationId, trigger: 'schedule' });
        return true;
      });
    },

    /**
     * Fetches everything beyond the cursor of every folder.
     * @throws ApplicationFailure as activities/failures.ts says
     */
    async fetchNewMail(ref: SyncRef): Promise<SyncEnd> {
      const look = new Look(dependencies, ref);
      const renewal = setInterval(() => void look.renewLease(), LEASE_MS / 3);
      try {
        for (let reconnects = 0; ; reconnects += 1) {
          try {
            await inMailbox(dependencies, ref, (client, mailbox) => look.readFolders(client, mailbox), {
              readBefore: (em) => look.readCursors(em),
            });
            return look.end;
          } catch (error) {
            if (reconnects === MOST_RECONNECTS || !(await look.mayGoOnAfter(error))) throw error;
          }
        }
      } finally {
        clearInterval(renewal);
      }
    },

    /** Closes the record and tells the integration's health; `problem` is a sentence for its page. */
    async finishSync(ref: SyncRef & { problem: string | null; needsPerson: boolean }): Promise<void> {
      await database.inTenant(ref.tenantId, async (em) => {
        const held = { lockMode: LockMode.PESSIMISTIC_WRITE };
        const integration = await em.findOneOrFail(Integration, { id: ref.integrationId }, held);
        const before = { state: integration.state, failingSince: integration.failingSince };
        const isOutdated = ref.problem !== null && (await isReconnectedSince(em, ref));
        if (ref.problem && ref.needsPerson && !isOutdated) await loseMailbox(em, ref.integrationId, ref.problem);
        else if (ref.problem && !isOutdated) integration.failed(new Date(), ref.problem, false);
        else if (!ref.problem) integration.succeeded(new Date());
        // A worker that died after this was committed has it done again: then an idle look has no row any more.
        const sync = await em.findOne(Sync, { id: ref.syncId });
        if (sync) endSync(em, sync, ref.problem ? 'failed' : 'done', ref.problem);
        // A look every minute that found nothing needs none: the integration's `lastSuccessAt` says as much.
        if (sync?.trigger === 'schedule' && sync.seen === 0 && !ref.problem) em.remove(sync);
        await releaseLease(em, ref);
        if (integration.state !== before.state || Boolean(integration.failingSince) !== Boolean(before.failingSince))
          announce(em, 'settings.changed', null, { integrationId: ref.integrationId });
      });
    },
  };
}

/** Its secret was kept after this look had begun: what was refused is the one before. */
async function isReconnectedSince(em: EntityManager, { syncId, integrationId }: SyncRef): Promise<boolean> {
  const sync = await em.findOne(Sync, { id: syncId });
  return (
    sync !== null && (await em.count(Credential, { ownerId: integrationId, createdAt: { $gt: sync.createdAt } })) > 0
  );
}

async function reasonToLeaveIt(em: EntityManager, integrationId: string): Promise<string> {
  const connected = (await em.count(Integration, { id: integrationId, removedAt: null })) > 0;
  return connected
    ? 'Another synchronisation of this mailbox is under way.'
    : 'This mailbox is not connected any more.';
}

function endSync(em: EntityManager, sync: Sync, state: 'done' | 'failed' | 'cancelled', error: string | null): void {
  sync.state = state;
  sync.error = error;
  sync.finishedAt = new Date();
  announce(em, 'sync.progressed', null, { syncId: sync.id, state });
}

/** One look at a mailbox, over as many connections as it takes. */
class Look {
  readonly end: SyncEnd = { seen: 0, kept: 0 };
  readonly #dependencies: Dependencies;
  readonly #ref: SyncRef;
  /** As it was when the connection was made. */
  #integration!: Integration;
  /** Where each folder was left; nobody else moves them while the lease is ours. */
  #cursors = new Map<string, MailboxCursor>();
  #stopped = false;
  #mailsAtOnce = MAILS_AT_ONCE;
  /** What is being asked of the server; null in between. */
  #asked: { folder: FolderState; uids: number[] } | null = null;
  #lost = { uid: 0, times: 0 };
  /** Receipts whose mail was asked for again in this look: once is enough. */
  readonly #askedAgain = new Set<string>();
  #askingAgain = false;

  constructor(dependencies: Dependencies, ref: SyncRef) {
    this.#dependencies = dependencies;
    this.#ref = ref;
  }

  /** A slow server may need longer than the lease for one bundle. */
  async renewLease(): Promise<void> {
    await this.#inTenant((em) => takeLease(em, this.#ref)).catch(() => {});
  }

  async readCursors(em: EntityManager): Promise<void> {
    const cursors = await em.find(MailboxCursor, { integrationId: this.#ref.integrationId });
    this.#cursors = new Map(cursors.map((cursor) => [cursor.path, cursor]));
  }

  /** @throws the failure of a folder that is missing, after the others have been read */
  async readFolders(client: ImapFlow, mailbox: Integration): Promise<void> {
    this.#asked = null;
    this.#integration = mailbox;
    if (this.#ref.byHand) await this.#keepOffered(client);
    let missing: unknown = null;
    for (const path of mailbox.foldersRead()) {
      try {
        if (!this.#stopped) await this.#readFolder(client, path);
      } catch (error) {
        if (!(error as { mailboxMissing?: boolean }).mailboxMissing) throw error;
        missing = error;
      }
    }
    if (missing) throw missing;
  }

  /**
   * A connection that ended while mails were being fetched is made again, and fewer are asked for. When it ends over one
   * mail alone, again and again, that mail is set aside, so that the others arrive.
   */
  async mayGoOnAfter(error: unknown): Promise<boolean> {
    const asked = this.#asked;
    this.#asked = null;
    if (!(error instanceof ApplicationFailure) || error.type !== 'mailbox-unreachable') return false;
    if (!asked) return this.#wasAskingAgain();
    const [uid] = asked.uids;
    if (asked.uids.length > 1) {
      this.#mailsAtOnce = Math.ceil(asked.uids.length / 4);
      return true;
    }
    this.#lost = { uid: uid!, times: this.#lost.uid === uid ? this.#lost.times + 1 : 1 };
    if (this.#lost.times >= MOST_LOSSES) {
      await this.#keep(asked.folder, { upTo: uid!, mails: [notHandedOver(uid!)] }, 0);
    }
    return true;
  }

  // A person who has the mailbox read now may have made a folder there, and want to choose it.
  async #keepOffered(client: ImapFlow): Promise<void> {
    const serverFolders = await foldersOf(client);
    await this.#inTenant((em) => em.nativeUpdate(Integration, { id: this.#integration.id }, { serverFolders }));
  }

  async #readFolder(client: ImapFlow, path: string): Promise<void> {
    if (!this.#ref.byHand && (await this.#isAsItWas(client, path))) return;
    const { uidValidity, uidNext, exists } = await client.mailboxOpen(path, { readOnly: true });
    const { folder, lastUid, compared } = this.#whereWeAre(path, String(uidValidity));
    if (lastUid === null || uidNext === undefined || uidNext > lastUid + 1)
      await this.#readNew(client, folder, lastUid, uidNext);
    if (this.#ref.byHand) await this.#askAgain(client, folder);
    // One that holds as many mails as at the last comparison is not compared again by itself.
    if (!this.#stopped && (this.#ref.byHand || compared !== exists)) await this.#compare(client, folder, exists);
  }

  // Most looks find nothing, and STATUS says so without opening the folder, however many mails it holds.
  async #isAsItWas(client: ImapFlow, path: string): Promise<boolean> {
    const status = await client.status(path, { messages: true, uidNext: true, uidValidity: true }).catch(() => false);
    if (typeof status !== 'object') return false;
    const { lastUid, compared } = this.#whereWeAre(path, String(status.uidValidity));
    return lastUid !== null && status.uidNext === lastUid + 1 && status.messages === compared;
  }

  async #compare(client: ImapFlow, { path }: FolderState, existing: number): Promise<void> {
    const { byHand } = this.#ref;
    const cursor = await this.#inTenant((em) =>
      em.findOne(MailboxCursor, { integrationId: this.#integration.id, path }),
    );
    if (!cursor) return;
    const uids = await uidsUpTo(client, cursor.lastUid, beginningOf(this.#integration.mailboxSettings().since));
    const isWorthIt = byHand || uids.length <= MOST_COMPARED;
    await this.#inTenant(async (em) => {
      const missing = isWorthIt ? (await neverKept(em, cursor, uids)).length : cursor.missing;
      const compared = { existing, atServer: uids.length, missing, comparedAt: new Date() };
      await em.nativeUpdate(MailboxCursor, { id: cursor.id }, compared);
    });
  }

  async #readNew(
    client: ImapFlow,
    folder: FolderState,
    lastUid: number | null,
    uidNext: number | undefined,
  ): Promise<void> {
    const uids = await newUids(client, lastUid, beginningOf(this.#integration.mailboxSettings().since));
    // That there was nothing at the first look has to be remembered, or the next look would be taken for the first.
    if (lastUid === null && uids.length === 0 && uidNext) await this.#keep(folder, { upTo: uidNext - 1, mails: [] }, 0);
    for (let done = 0; done < uids.length && !this.#stopped; ) {
      Context.current().cancellationSignal.throwIfAborted();
      const asked = uids.slice(done, done + this.#mailsAtOnce);
      this.#asked = { folder, uids: asked };
      const bundle = await fetchBundle(client, asked);
      this.#asked = null;
      await faultPoint('imap.after_fetch');
      done += asked.filter((uid) => uid <= bundle.upTo).length;
      await this.#keep(folder, bundle, uids.length - done);
      await faultPoint('imap.after_commit');
      this.#mailsAtOnce = Math.min(MAILS_AT_ONCE, this.#mailsAtOnce * 2);
    }
  }

  // With a new UIDVALIDITY the old numbers mean nothing any more (RFC 9051, 2.3.1.1): everything since the chosen day is
  // looked at again, and what is known already is recognised by its content.
  #whereWeAre(path: string, uidValidity: string) {
    const cursor = this.#cursors.get(path);
    const folder = { path, uidValidity, firstSeenAt: cursor?.createdAt ?? null };
    const lastUid = cursor?.uidValidity === uidValidity ? cursor.lastUid : null;
    return { folder, lastUid, compared: cursor?.existing ?? null };
  }

  async #keep(folder: FolderState, bundle: Bundle, remaining: number): Promise<void> {
    const kept = await this.#inTenant((em) =>
      keepBundle(em, this.#ref, this.#integration, folder, { ...bundle, remaining }),
    );
    if (kept === null) this.#stopped = true;
    else {
      this.end.seen += bundle.mails.length;
      this.end.kept += kept;
    }
  }

  // A person who has the mailbox read now has what the server once withheld asked for again.
  async #askAgain(client: ImapFlow, folder: FolderState): Promise<void> {
    const withheld = await this.#inTenant((em) =>
      em.find(
        Receipt,
        { integrationId: this.#integration.id, state: 'set_aside', raw: null, format: 'email' },
        { orderBy: { createdAt: 'asc' }, limit: ASKED_AGAIN_AT_ONCE },
      ),
    );
    const here = withheld.filter(
      ({ origin }) => origin.folder === folder.path && origin.uidValidity === folder.uidValidity,
    );
    for (const { id, origin } of here) {
      if (this.#askedAgain.has(id) || !origin.uid) continue;
      this.#askedAgain.add(id);
      this.#askingAgain = true;
      const { mails } = await fetchBundle(client, [origin.uid]);
      this.#askingAgain = false;
      for (const mail of mails) await this.#inTenant((em) => completeReceipt(em, this.#ref, id, mail));
    }
  }

  #wasAskingAgain(): boolean {
    const was = this.#askingAgain;
    this.#askingAgain = false;
    return was;
  }

  #inTenant<Result>(work: (em: EntityManager) => Promise<Result>): Promise<Result> {
    return this.#dependencies.database.inTenant(this.#ref.tenantId, work);
  }
}
