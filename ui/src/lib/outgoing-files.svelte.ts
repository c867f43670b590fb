// Files on their way into an answer: handed in one by one while it is being written, remembered by this browser.

import { m } from '#paraglide/messages.js';
import { isBlockedFile, MOST_BYTES, MOST_FILES } from '../../../domain/rules/outgoing-files.ts';
import { api, RefusedByApi, type UploadView } from './api.ts';
import { handIn } from './hand-in.ts';
import { KeptText } from './kept-text.svelte.ts';
import { sentenceOf } from './refusal.ts';
import { said } from './toasts.ts';

class OutgoingFile {
  readonly name: string;
  readonly size: number;
  /** Null until the server has all of it. */
  upload = $state.raw<UploadView | null>(null);
  progress = $state(0);
  problem = $state<string | null>(null);
  readonly stop = new AbortController();

  constructor({ name, size }: { name: string; size: number }) {
    this.name = name;
    this.size = size;
  }
}

export class OutgoingFiles {
  readonly #kept: KeptText;
  list = $state.raw<OutgoingFile[]>([]);

  constructor(conversationId: string) {
    this.#kept = new KeptText(`files.${conversationId}`);
    this.list = remembered(this.#kept.text).map(handedIn);
  }

  get ids(): string[] {
    return this.list.flatMap(({ upload }) => upload?.id ?? []);
  }

  get isReady(): boolean {
    return this.list.every(({ upload }) => upload !== null);
  }

  get names(): string[] {
    return this.list.map(({ name }) => name);
  }

  /** Each begins to go up at once; what cannot leave by mail says why in its place. */
  add(files: Iterable<File>): void {
    for (const file of files) {
      if (this.list.length >= MOST_FILES) {
        said(m.files_too_many({ count: MOST_FILES }));
        return;
      }
      const outgoing = new OutgoingFile(file);
      this.list = [...this.list, outgoing];
      outgoing.problem = this.#problemOf(file);
      if (!outgoing.problem) void this.#send(file, outgoing);
    }
  }

  remove(file: OutgoingFile): void {
    file.stop.abort();
    this.#put(this.list.filter((other) => other !== file));
    // One that stays behind expires by itself.
    if (file.upload) api.dropUpload({ params: { id: file.upload.id } }).catch(() => {});
  }

  clear(): void {
    this.#put([]);
  }

  restore(uploads: UploadView[]): void {
    if (this.list.length === 0) this.#put(uploads.map(handedIn));
  }

  #problemOf(file: File): string | null {
    if (isBlockedFile(file.name, file.type || null)) return m.refusal_file_blocked();
    const bytes = this.list.reduce((sum, { size }) => sum + size, 0);
    return bytes > MOST_BYTES ? m.refusal_files_too_large() : null;
  }

  async #send(file: File, outgoing: OutgoingFile): Promise<void> {
    try {
      const onProgress = (share: number) => {
        outgoing.progress = share;
      };
      outgoing.upload = await handIn(file, { onProgress, signal: outgoing.stop.signal });
      this.#put(this.list);
    } catch (error) {
      outgoing.problem = error instanceof RefusedByApi ? sentenceOf(error) : m.refusal_offline();
    }
  }

  #put(list: OutgoingFile[]): void {
    this.list = list;
    const uploads = list.flatMap(({ upload }) => upload ?? []);
    this.#kept.text = uploads.length > 0 ? JSON.stringify(uploads) : '';
  }
}

function handedIn(upload: UploadView): OutgoingFile {
  const file = new OutgoingFile(upload);
  file.upload = upload;
  return file;
}

// What has expired meanwhile could not be sent any more.
function remembered(text: string): UploadView[] {
  if (text === '') return [];
  const uploads = JSON.parse(text) as UploadView[];
  return uploads.filter(({ expiresAt }) => new Date(expiresAt).getTime() > Date.now());
}
