// A list that the API gives page by page, newest first.

import { afterBurst } from './after-burst.ts';
import type { Desk } from './desk.svelte.ts';

type Page<Item> = { items: Item[]; next: string | null };

export class Paged<Item> {
  items = $state.raw<Item[]>([]);
  state = $state<'loading' | 'ready' | 'failed'>('loading');
  isLoadingMore = $state(false);
  #next = $state<string | null>(null);
  readonly #read: (cursor: string | undefined) => Promise<Page<Item>>;

  constructor(read: (cursor: string | undefined) => Promise<Page<Item>>) {
    this.#read = read;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  async load(): Promise<void> {
    try {
      this.#take(await this.#read(undefined), []);
    } catch {
      if (this.state === 'loading') this.state = 'failed';
    }
  }

  async loadMore(): Promise<void> {
    if (!this.#next || this.isLoadingMore) return;
    this.isLoadingMore = true;
    try {
      this.#take(await this.#read(this.#next), this.items);
    } finally {
      this.isLoadingMore = false;
    }
  }

  /** Reads again when something happens whose name begins so. @returns stops */
  watch(desk: Desk, ...names: string[]): () => void {
    const loadSoon = afterBurst(() => this.load(), 300);
    const stops = [
      desk.live.on(({ name }) => names.some((start) => name.startsWith(start)) && loadSoon()),
      desk.live.onReturn(loadSoon),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #take(page: Page<Item>, before: Item[]): void {
    this.items = [...before, ...page.items];
    this.#next = page.next;
    this.state = 'ready';
  }
}
