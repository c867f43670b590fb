// Tells open browsers what happens in their company, by server-sent events. PostgreSQL says which tenant has something
// new; what it is is read under that tenant's lock. A browser that was away names the last event it saw.
import { createSession, type Session } from 'better-sse';
import type { Request, Response } from 'express';
import pg from 'pg';
import type { Database } from '#domain/database/orm.ts';
import { Event } from '#domain/record/event.ts';
import type { Log } from '#domain/record/log.ts';

const CHANNEL = 'relais_event';
const MOST_REPLAYED = 500;
const RECONNECT_AFTER_MS = 500;
/** Numbers follow the order of inserts, not of commits: an older one may appear after a newer one was read. */
const OVERLAP = 100;
const REMEMBERED = 1_000;

type Watcher = { session: Session; response: Response; seen: Set<number>; last: number };

export class LiveFeed {
  readonly #database: Database;
  readonly #listenUrl: string;
  readonly #log: Log;
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #reading = new Map<string, Promise<void>>();
  #listener: pg.Client | null = null;
  #nextTry: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(database: Database, listenUrl: string, log: Log) {
    this.#database = database;
    this.#listenUrl = listenUrl;
    this.#log = log;
  }

  /** Listens; while the database is away it goes on trying. */
  async start(): Promise<void> {
    await this.#listen().catch((error) => {
      this.#log.warn({ err: error }, 'Live events wait for the database');
      this.#reconnect();
    });
  }

  async #listen(): Promise<void> {
    const listener = new pg.Client({ connectionString: this.#listenUrl });
    listener.on('notification', ({ payload }) => payload && this.#tell(payload));
    listener.on('error', () => {});
    try {
      await listener.connect();
      await listener.query(`listen ${CHANNEL}`);
    } catch (error) {
      await listener.end().catch(() => {});
      throw error;
    }
    // Only one that has listened is missed: a refused connection ends as well, and two tries would come of each.
    listener.once('end', () => this.#reconnect());
    this.#listener = listener;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#nextTry) clearTimeout(this.#nextTry);
    for (const watchers of this.#watchers.values()) for (const { response } of watchers) response.destroy();
    await this.#listener?.end().catch(() => {});
  }

  /**
   * Opens the stream of one browser; `Last-Event-ID` replays what it missed. Of one that missed more than a few hundred
   * nothing is replayed: whoever was away reads everything anew when it is told `ready`.
   */
  async watch(tenantId: string, request: Request, response: Response): Promise<void> {
    const session = await createSession(request, response, { keepAlive: 15_000, retry: 1_000 });
    const lastSeen = /^\d{1,15}$/.test(session.lastId) ? Number(session.lastId) : null;
    const missed = lastSeen === null ? 0 : await this.#countSince(tenantId, lastSeen);
    const missedFrom = missed > MOST_REPLAYED ? null : lastSeen;
    const seen = missedFrom === null ? await this.#newest(tenantId) : new Set<number>();
    // Gone while the newest were looked up: a page that was left at once.
    if (!session.isConnected) return;
    const watcher: Watcher = { session, response, seen, last: missedFrom ?? Math.max(0, ...seen) };
    const watchers = this.#watchers.get(tenantId) ?? new Set();
    watchers.add(watcher);
    this.#watchers.set(tenantId, watchers);
    session.once('disconnected', () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(tenantId) === watchers) this.#watchers.delete(tenantId);
    });
    session.push({}, 'ready');
    // What it missed, or what has come while the newest were looked up.
    this.#tell(tenantId);
  }

  // One reading at a time for a tenant; a word that comes meanwhile causes one more.
  #tell(tenantId: string): void {
    if (!this.#watchers.has(tenantId)) return;
    const before = this.#reading.get(tenantId) ?? Promise.resolve();
    const reading = before
      .then(() => this.#read(tenantId))
      .catch((error) => this.#log.warn({ err: error, tenantId }, 'Live events could not be read'));
    this.#reading.set(tenantId, reading);
  }

  async #read(tenantId: string): Promise<void> {
    const watchers = this.#watchers.get(tenantId);
    if (!watchers) return;
    let from = Math.max(0, Math.min(...[...watchers].map((watcher) => watcher.last)) - OVERLAP);
    for (;;) {
      const events = await this.#database.inTenant(tenantId, (em) =>
        em.find(Event, { id: { $gt: from } }, { orderBy: { id: 'asc' }, limit: MOST_REPLAYED }),
      );
      for (const watcher of watchers) for (const event of events) push(watcher, event);
      if (events.length < MOST_REPLAYED) return;
      from = events.at(-1)!.id;
    }
  }

  #countSince(tenantId: string, id: number): Promise<number> {
    return this.#database.inTenant(tenantId, (em) => em.count(Event, { id: { $gt: id } }));
  }

  // What stands there before a fresh stream opens is no news to it.
  async #newest(tenantId: string): Promise<Set<number>> {
    const newest = await this.#database.inTenant(tenantId, (em) =>
      em.find(Event, {}, { orderBy: { id: 'desc' }, limit: OVERLAP, fields: ['id'] }),
    );
    return new Set(newest.map((event) => event.id));
  }

  #reconnect(): void {
    if (this.#stopped || this.#nextTry) return;
    this.#nextTry = setTimeout(() => {
      this.#nextTry = null;
      this.#listen()
        // What was said while nobody listened.
        .then(() => {
          for (const tenantId of this.#watchers.keys()) this.#tell(tenantId);
        })
        .catch(() => this.#reconnect());
    }, RECONNECT_AFTER_MS);
  }
}

function push(watcher: Watcher, event: Event): void {
  // A session that has ended refuses to be told, and the others would not be told either.
  if (!watcher.session.isConnected) return;
  if (watcher.seen.has(event.id) || event.id <= watcher.last - OVERLAP) return;
  watcher.seen.add(event.id);
  watcher.last = Math.max(watcher.last, event.id);
  if (watcher.seen.size > REMEMBERED) watcher.seen = new Set([...watcher.seen].slice(-REMEMBERED / 2));
  const { name, conversationId, details, createdAt } = event;
  watcher.session.push({ name, conversationId, details, at: createdAt.toISOString() }, 'event', String(event.id));
}
