// Watches a mailbox whose server tells of new mail by itself (IDLE, RFC 2177). It reads nothing: at news the mailbox's
// schedule is told to take its look now, which is one look at a time as always.

import { Context } from '@temporalio/activity';
import { ScheduleOverlapPolicy, type Client as TemporalClient } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ImapFlow } from 'imapflow';
import { Integration } from '#domain/integrations/integration.ts';
import { MailboxCursor } from '#domain/integrations/mailbox-cursor.ts';
import { type WatchMailboxInput, workflowIds } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { inMailbox } from './mailbox-access.ts';

/** A connection is made anew after this, with the settings and the password of then. */
const LONGEST_WATCH_MS = 6 * 3600_000;

/** Only `lost` begins again. */
export type WatchEnd = 'not-wanted' | 'not-offered' | 'refused' | 'lost';

type Watched = Omit<WatchMailboxInput, 'losses'>;

export function createWatching(dependencies: Dependencies) {
  const { database, temporal } = dependencies;

  return {
    /** Ends when the connection does, or when there is nothing to wait for. */
    async watchMailbox(watched: Watched): Promise<WatchEnd> {
      const { tenantId, integrationId } = watched;
      const wanted = await database.inTenant(tenantId, (em) =>
        em.findOne(Integration, { id: integrationId, channel: 'email', state: 'active', removedAt: null }),
      );
      if (!wanted) return 'not-wanted';
      if (wanted.idleOffered === false) return 'not-offered';
      try {
        return await inMailbox(dependencies, watched, (client) => waitForNews(client, wanted), { idles: true });
      } catch (error) {
        if (!(error instanceof ApplicationFailure) || error.type !== 'mailbox-refused-credentials') throw error;
        // A look that is refused in its turn asks for a person.
        await lookNow(temporal, watched);
        return 'refused';
      }
    },
  };

  async function waitForNews(client: ImapFlow, integration: Integration): Promise<WatchEnd> {
    const offered = client.capabilities.has('IDLE');
    const path = watchedFolder(integration.mailboxSettings().folders);
    const { uidNext, uidValidity } = await client.mailboxOpen(path, { readOnly: true });
    const cursor = await database.inTenant(integration.tenantId, async (em) => {
      const row = await em.findOneOrFail(Integration, { id: integration.id });
      row.idleOffered = offered;
      return em.findOne(MailboxCursor, { integrationId: integration.id, path });
    });
    if (!offered) return 'not-offered';
    const watched = { tenantId: integration.tenantId, integrationId: integration.id };
    const bell = new Bell(() => lookNow(temporal, watched), client);
    client.on('exists', ({ count, prevCount }) => {
      if (count > prevCount) bell.ring();
    });
    // What came while nobody watched. A folder that was never read is about to be.
    const known = cursor?.uidValidity === String(uidValidity) ? cursor.lastUid : null;
    if (known !== null && uidNext !== undefined && uidNext > known + 1) bell.ring();
    await idle(client);
    return 'lost';
  }
}

/** The server speaks of one folder only; the schedule looks at the others. */
function watchedFolder(folders: readonly string[]): string {
  return folders.find((path) => path.toUpperCase() === 'INBOX') ?? folders[0]!;
}

async function idle(client: ImapFlow): Promise<void> {
  const { cancellationSignal: signal } = Context.current();
  const close = () => client.close();
  signal.addEventListener('abort', close, { once: true });
  const renewal = setTimeout(close, LONGEST_WATCH_MS);
  try {
    // False: the connection is gone, or the server would rather not.
    while (client.usable && !signal.aborted) if ((await client.idle()) === false) break;
  } finally {
    clearTimeout(renewal);
    signal.removeEventListener('abort', close);
  }
  // A worker that stops has lost its connection; a watch that nobody wants any more has not.
  if (signal.aborted && signal.reason.message !== 'WORKER_SHUTDOWN') throw signal.reason;
}

/** Asks the mailbox's schedule for a look now, or right after the one that is under way and may have passed the news. */
async function lookNow(temporal: TemporalClient, { tenantId, integrationId }: Watched): Promise<void> {
  const schedule = temporal.schedule.getHandle(workflowIds.syncSchedule(tenantId, integrationId));
  await schedule.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
}

/** Mails that arrive together ring once. When nobody hears it the connection is given up: the next one begins by looking. */
class Bell {
  readonly #answer: () => Promise<void>;
  readonly #client: ImapFlow;
  #ringing = false;
  #again = false;

  constructor(answer: () => Promise<void>, client: ImapFlow) {
    this.#answer = answer;
    this.#client = client;
  }

  ring(): void {
    this.#again = true;
    if (!this.#ringing) void this.#untilQuiet();
  }

  async #untilQuiet(): Promise<void> {
    this.#ringing = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#answer();
      }
    } catch {
      this.#client.close();
    } finally {
      this.#ringing = false;
    }
  }
}
