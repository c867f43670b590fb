// Answers written by hand, on their way out: writing, taking back, and saying what became of one nobody is sure of.
import { m } from '#paraglide/messages.js';
import { api, type MessageView } from './api.ts';
import type { Desk } from './desk.svelte.ts';
import { KeptText } from './kept-text.svelte.ts';
import type { OpenConversation } from './open-conversation.svelte.ts';
import { refused, said, undoable } from './toasts.ts';
import { moment } from './words/dates.ts';

export type Verdict = 'it-was-sent' | 'send-again' | 'give-up';

/** @returns whether it is on its way; what was typed stays with the caller until then */
export async function writeReply(desk: Desk, conversation: OpenConversation, text: string): Promise<boolean> {
  const view = conversation.view;
  if (!view) return false;
  const sent = { text, ...conversation.options.asked };
  const before = view.messages;
  conversation.patch({ messages: [...before, provisional(desk, conversation, sent)] });
  try {
    const reply = await api.writeReply({ params: { id: conversation.id }, body: sent });
    conversation.options.clear();
    const leftMs = Math.max(1_000, new Date(reply.notBefore).getTime() - Date.now());
    undoable(
      onItsWay(sent.notBefore),
      () => void takeBack(conversation, reply.id, sent),
      sent.notBefore ? undefined : leftMs,
    );
    return true;
  } catch (error) {
    conversation.patch({ messages: before });
    refused(error);
    return false;
  } finally {
    conversation.refreshSoon();
  }
}

/** A scheduled one can be taken back for longer than any toast stands. */
export function onItsWay(notBefore: string | null): string {
  return notBefore ? m.leaves_on({ when: moment(notBefore) }) : m.reply_on_its_way();
}

export async function sendNow(replyId: string, conversation: OpenConversation | null = null): Promise<void> {
  try {
    await api.departReply({ params: { id: replyId } });
    said(m.reply_sent_now());
  } catch (error) {
    refused(error);
  } finally {
    conversation?.refreshSoon();
  }
}

/** From the outbox: its words stay in its conversation. */
export async function cancelScheduled(replyId: string): Promise<void> {
  try {
    await api.cancelReply({ params: { id: replyId } });
    said(m.held_back());
  } catch (error) {
    refused(error);
  }
}

/** What its author typed of an answer. */
export type SentAnswer = { text: string; cc: string[]; bcc: string[] };

export function answerOf({ newText, cc, bcc }: MessageView): SentAnswer {
  return { text: newText, cc, bcc };
}

/** Within its time to undo; the words and all that went along return to where they were typed. */
export async function takeBack(conversation: OpenConversation, replyId: string, sent: SentAnswer): Promise<void> {
  try {
    const { uploads } = await api.cancelReply({ params: { id: replyId } });
    const kept = new KeptText(`reply.${conversation.id}`);
    if (kept.text.trim() === '') kept.text = sent.text;
    conversation.options.restore(sent, uploads);
    conversation.restored += 1;
    said(m.reply_taken_back());
  } catch (error) {
    refused(error);
  } finally {
    conversation.refreshSoon();
  }
}

export async function judge(
  conversation: OpenConversation | null,
  replyId: string,
  verdict: Verdict,
): Promise<boolean> {
  try {
    await api.judgeReply({ params: { id: replyId }, body: { verdict } });
    const words = { 'it-was-sent': m.judged_sent, 'send-again': m.judged_again, 'give-up': m.judged_given_up };
    said(words[verdict]());
    return true;
  } catch (error) {
    refused(error);
    return false;
  } finally {
    conversation?.refreshSoon();
  }
}

// Stands in the thread until the server's own arrives with the next reading.
function provisional(
  desk: Desk,
  { view }: OpenConversation,
  { text, cc, bcc, notBefore }: SentAnswer & { notBefore: string | null },
): MessageView {
  const now = Date.now();
  const isText = view?.channel === 'sms' || view?.channel === 'whatsapp';
  return {
    id: `provisional-${now}`,
    direction: 'outbound',
    channel: view && isText ? view.channel : 'email',
    kind: 'personal',
    kindReason: null,
    sender: { name: desk.me.user.name, address: null, phone: null },
    recipients:
      view?.contacts
        .filter(({ kind }) => kind === (isText ? 'phone' : 'email'))
        .map(({ value }) => value)
        .slice(0, 1) ?? [],
    cc,
    bcc,
    subject: view?.subject ?? '',
    newText: text,
    fullText: null,
    hasHtml: false,
    sentAt: new Date(now).toISOString(),
    attachments: [],
    reply: {
      id: '',
      state: 'approved',
      automatic: false,
      authorId: desk.me.user.id,
      authorKind: 'person',
      notBefore: notBefore ?? new Date(now + desk.me.undoMs).toISOString(),
      scheduled: notBefore !== null,
      failure: null,
      lastResponse: null,
      refusedRecipients: [],
      delivery: null,
    },
  };
}
