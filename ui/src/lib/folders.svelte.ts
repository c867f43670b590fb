// The folders in their order, with the counts of the left column. Anything that happens may change a count, so they are
// read again shortly after; bursts are read once.

import { afterBurst } from './after-burst.ts';
import { api, type FolderView, type PlaceCounts } from './api.ts';
import type { Live } from './live.svelte.ts';

const NO_COUNTS: PlaceCounts = { inbox: 0, unsorted: 0, toApprove: 0, due: 0, needsPerson: 0 };

export class Folders {
  all = $state.raw<FolderView[]>([]);
  counts = $state.raw<PlaceCounts>(NO_COUNTS);
  readonly refreshSoon = afterBurst(() => this.refresh(), 300);

  watch(live: Live): () => void {
    const stops = [live.on(() => this.refreshSoon()), live.onReturn(() => this.refreshSoon())];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async refresh(): Promise<void> {
    const { folders, places } = await api.listFolders();
    this.all = folders;
    this.counts = places;
  }

  nameOf(id: string | null): string | null {
    return this.all.find((folder) => folder.id === id)?.name ?? null;
  }

  /** Somebody here has just read it: the counts need not wait for the server. */
  readOne(folderId: string | null): void {
    this.all = this.all.map((folder) =>
      folder.id === folderId ? { ...folder, unread: Math.max(0, folder.unread - 1) } : folder,
    );
    const unsorted = folderId === null ? Math.max(0, this.counts.unsorted - 1) : this.counts.unsorted;
    this.counts = { ...this.counts, inbox: Math.max(0, this.counts.inbox - 1), unsorted };
  }
}
