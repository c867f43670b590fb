// The list of one place with its filters: pages as they are scrolled to, and the news of others merged in without
// moving what somebody is looking at. While the list is scrolled down, newcomers wait behind "3 new".
import { afterBurst } from './after-burst.ts';
import { api, type ConversationRow } from './api.ts';
import type { Live, LiveEvent } from './live.svelte.ts';
import { type ListFilters, queryOf, type Where } from './places.ts';
import { belongs, isNewer, mergePage } from './rows.ts';

const PAGE = 50;
const MOST_READ_ONE_BY_ONE = 5;

export class ConversationList {
  rows = $state.raw<ConversationRow[]>([]);
  state = $state<'loading' | 'ready' | 'failed'>('loading');
  hasMore = $state(false);
  isLoadingMore = $state(false);
  /** How many have come or moved to the top while the list was scrolled down. */
  waiting = $state(0);
  /** Set by the screen: nothing is inserted or removed above what is being looked at. */
  atTop = true;
  /** The conversation that is open stays in the list although it may have left the place. */
  openId: string | null = null;

  readonly where: Where;
  readonly filters: ListFilters;
  #next: string | null = null;
  #touched = new Set<string>();
  #refreshSoon = afterBurst(() => this.refresh(), 350);

  constructor(where: Where, filters: ListFilters) {
    this.where = where;
    this.filters = filters;
  }

  watch(live: Live): () => void {
    const stops = [live.on((event) => this.#hear(event)), live.onReturn(() => this.#refreshSoon())];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async load(): Promise<void> {
    try {
      await this.refresh();
    } catch {
      if (this.state === 'loading') this.state = 'failed';
    }
  }

  /** Reads the newest page again and merges it; rows further down that were heard of are read one by one. */
  async refresh(): Promise<void> {
    const touched = [...this.#touched];
    this.#touched.clear();
    const page = await this.#page(null);
    const known = new Set(this.rows.map((row) => row.id));
    const deeper = touched.filter((id) => known.has(id) && !page.items.some((row) => row.id === id));
    await Promise.all(deeper.slice(0, MOST_READ_ONE_BY_ONE).map((id) => this.#readOne(id)));
    const isFirst = this.state !== 'ready';
    this.state = 'ready';
    if (isFirst || this.atTop) this.#take(page);
    else this.#hold(page.items);
  }

  async loadMore(): Promise<void> {
    if (!this.#next || this.isLoadingMore) return;
    this.isLoadingMore = true;
    try {
      const page = await this.#page(this.#next);
      const known = new Set(this.rows.map((row) => row.id));
      this.rows = [...this.rows, ...page.items.filter((row) => !known.has(row.id))];
      this.#setNext(page.next);
    } finally {
      this.isLoadingMore = false;
    }
  }

  /** Shows what was held back while the list was scrolled down. */
  async showWaiting(): Promise<void> {
    this.atTop = true;
    await this.refresh();
  }

  /** A change made here, shown before the server has answered; a row that leaves the place goes with the next look. */
  patch(id: string, change: Partial<ConversationRow>): void {
    this.rows = this.rows.map((row) => (row.id === id ? { ...row, ...change } : row));
  }

  remove(id: string): void {
    this.rows = this.rows.filter((row) => row.id !== id);
  }

  /** Somebody moved on: what was only kept because it was open may go. */
  setOpen(id: string | null): void {
    const before = this.openId;
    this.openId = id;
    if (before === null || before === id) return;
    this.rows = this.rows.filter((row) => row.id !== before || belongs(row, this.where, this.filters));
  }

  neighbour(id: string | null, step: 1 | -1): ConversationRow | null {
    const index = this.rows.findIndex((row) => row.id === id);
    if (index < 0) return this.rows[step === 1 ? 0 : this.rows.length - 1] ?? null;
    return this.rows[index + step] ?? null;
  }

  #hear({ name, conversationId }: LiveEvent): void {
    if (!conversationId || name.startsWith('follow_up.')) return;
    this.#touched.add(conversationId);
    this.#refreshSoon();
  }

  #take(page: { items: ConversationRow[]; next: string | null }): void {
    const merged = mergePage(this.rows, page.items, page.next === null, this.openId);
    if (!merged.hasOlder) this.#setNext(page.next);
    this.rows = merged.rows;
    this.waiting = 0;
  }

  #hold(newest: ConversationRow[]): void {
    const top = this.rows[0];
    const fresh = new Map(newest.map((row) => [row.id, row]));
    this.waiting = newest.filter((row) => !top || isNewer(row, top)).length;
    this.rows = this.rows.map((row) => {
      const now = fresh.get(row.id);
      return now ? { ...now, lastMessageAt: row.lastMessageAt } : row;
    });
  }

  async #readOne(id: string): Promise<void> {
    const view = await api.getConversation({ params: { id } }).catch(() => null);
    const isGone = !view || !belongs(view, this.where, this.filters);
    if (isGone && this.atTop && id !== this.openId) this.rows = this.rows.filter((row) => row.id !== id);
    else if (view) this.patch(id, view);
  }

  #page(cursor: string | null) {
    return api.listConversations({
      query: { ...queryOf(this.where, this.filters), limit: PAGE, ...(cursor ? { cursor } : {}) },
    });
  }

  #setNext(next: string | null): void {
    this.#next = next;
    this.hasMore = next !== null;
  }
}
