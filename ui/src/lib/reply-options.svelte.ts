// What goes along with an answer to one conversation, by hand or approved: kept in this browser like its words.
import { normaliseAddress } from '../../../domain/rules/email-address.ts';
import type { Asked, UploadView } from './api.ts';
import { KeptText } from './kept-text.svelte.ts';
import { OutgoingFiles } from './outgoing-files.svelte.ts';

/** As the API takes them. */
type SentOptions = Required<Pick<NonNullable<Asked<'writeReply'>['body']>, 'cc' | 'bcc' | 'uploadIds' | 'notBefore'>>;

export class ReplyOptions {
  readonly cc: KeptText;
  readonly bcc: KeptText;
  readonly files: OutgoingFiles;
  /** The moment the answer is scheduled for. */
  notBefore = $state<string | null>(null);

  constructor(conversationId: string) {
    this.cc = new KeptText(`cc.${conversationId}`);
    this.bcc = new KeptText(`bcc.${conversationId}`);
    this.files = new OutgoingFiles(conversationId);
  }

  get hasCopies(): boolean {
    return this.cc.text !== '' || this.bcc.text !== '';
  }

  get asked(): SentOptions {
    return {
      cc: addresses(this.cc.text),
      bcc: addresses(this.bcc.text),
      uploadIds: this.files.ids,
      notBefore: this.notBefore,
    };
  }

  /** The first word among the copies that is no address. */
  get wrongAddress(): string | null {
    const { cc, bcc } = this.asked;
    return [...cc, ...bcc].find((typed) => normaliseAddress(typed) === null) ?? null;
  }

  get isReady(): boolean {
    return this.wrongAddress === null && this.files.isReady;
  }

  clear(): void {
    this.cc.text = '';
    this.bcc.text = '';
    this.files.clear();
    this.notBefore = null;
  }

  /** Of an answer that was taken back, unless another is being written. */
  restore({ cc, bcc }: Pick<SentOptions, 'cc' | 'bcc'>, uploads: UploadView[]): void {
    this.files.restore(uploads);
    if (this.hasCopies) return;
    this.cc.text = cc.join(', ');
    this.bcc.text = bcc.join(', ');
  }
}

function addresses(typed: string): string[] {
  return typed.split(/[\s,;]+/).filter(Boolean);
}
