// The stream of what happens in the company. It reconnects by itself and then replays what was missed; a stream that
// the server closed for good is opened anew, and everybody is asked to catch up.

export type LiveEvent = {
  /** Noun, dot, past tense: `message.received`. */
  name: string;
  conversationId: string | null;
  details: Record<string, string | number | boolean | null>;
  at: string;
};

const SHOWN_AS_LOST_AFTER_MS = 4_000;
const OPEN_AGAIN_AFTER_MS = 3_000;

export class Live {
  /** The stream has been away for longer than a moment, or the browser knows it is offline. */
  lost = $state(false);

  #source: EventSource | null = null;
  #listeners = new Set<(event: LiveEvent) => void>();
  #returns = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Something may have happened that was not told. So it is at first: the page was read before the stream opened. */
  #wasAway = true;

  open(): void {
    this.#source?.close();
    const source = new EventSource('/inbox/events');
    source.addEventListener('ready', () => this.#back());
    source.addEventListener('event', ({ data }) => this.#tell(JSON.parse(data)));
    source.addEventListener('error', () => this.#away());
    this.#source = source;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /** @returns stops listening */
  on(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called when the stream is there, at first or again after an absence: read everything shown anew. */
  onReturn(listener: () => void): () => void {
    this.#returns.add(listener);
    return () => this.#returns.delete(listener);
  }

  /** What the browser says about its network. */
  network(isOnline: boolean): void {
    if (!isOnline) {
      this.#wasAway = true;
      this.lost = true;
    } else if (this.lost) this.open();
  }

  #tell(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #back(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.lost = false;
    if (!this.#wasAway) return;
    this.#wasAway = false;
    for (const listener of this.#returns) listener();
  }

  #away(): void {
    this.#wasAway = true;
    this.#timer ??= setTimeout(() => {
      this.lost = true;
      this.#timer = undefined;
    }, SHOWN_AS_LOST_AFTER_MS);
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    setTimeout(() => this.#source?.readyState === EventSource.CLOSED && this.open(), OPEN_AGAIN_AFTER_MS);
  }
}
