// Answers written by hand, on their way out: writing, taking back, and saying what became of one nobody is sure of.
import { m } from '#paraglide/messages.js';
import { type FilledTemplate, fillTemplate } from '../../../domain/rules/whatsapp-template.ts';
import { api, type MessageView, type Reply, type WhatsappTemplate } from './api.ts';
import type { Desk } from './desk.svelte.ts';
import { KeptText } from './kept-text.svelte.ts';
import type { OpenConversation } from './open-conversation.svelte.ts';
import { restoreTemplate } from './template-choice.svelte.ts';
import { refused, said, undoable } from './toasts.ts';
import { moment } from './words/dates.ts';

export type Verdict = 'it-was-sent' | 'send-again' | 'give-up';

/** @returns whether it is on its way; what was typed stays with the caller until then */
export async function writeReply(desk: Desk, conversation: OpenConversation, text: string): Promise<boolean> {
  const sent = { text, ...conversation.options.asked };
  return leave(desk, conversation, sent, (params) => api.writeReply({ params, body: sent }));
}

/** @returns as above */
export async function writeTemplateReply(
  desk: Desk,
  conversation: OpenConversation,
  { id: templateId, name, language, body }: WhatsappTemplate,
  parameters: string[],
): Promise<boolean> {
  const { notBefore } = conversation.options.asked;
  const template = { name, language, parameters };
  const sent = { text: fillTemplate(body, parameters), template, cc: [], bcc: [], notBefore };
  return leave(desk, conversation, sent, (params) =>
    api.writeTemplateReply({ params, body: { templateId, parameters, notBefore } }),
  );
}

async function leave(
  desk: Desk,
  conversation: OpenConversation,
  sent: SentAnswer & { notBefore: string | null },
  write: (params: { id: string }) => Promise<Reply<'writeReply'>>,
): Promise<boolean> {
  const view = conversation.view;
  if (!view) return false;
  const before = view.messages;
  conversation.patch({ messages: [...before, provisional(desk, conversation, sent)] });
  try {
    const reply = await write({ id: conversation.id });
    conversation.options.clear();
    conversation.usesTemplate = false;
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
export type SentAnswer = { text: string; cc: string[]; bcc: string[]; template?: FilledTemplate | null };

export function answerOf({ newText, cc, bcc, template }: MessageView): SentAnswer {
  return { text: newText, cc, bcc, template };
}

/** Within its time to undo; the words and all that went along return to where they were typed. */
export async function takeBack(conversation: OpenConversation, replyId: string, sent: SentAnswer): Promise<void> {
  try {
    const { uploads } = await api.cancelReply({ params: { id: replyId } });
    restoreWords(conversation, sent);
    conversation.options.restore(sent, uploads);
    conversation.restored += 1;
    said(m.reply_taken_back());
  } catch (error) {
    refused(error);
  } finally {
    conversation.refreshSoon();
  }
}

function restoreWords(conversation: OpenConversation, { text, template }: SentAnswer): void {
  conversation.usesTemplate = Boolean(template);
  const kept = new KeptText(`reply.${conversation.id}`);
  if (template) restoreTemplate(conversation.id, template);
  else if (kept.text.trim() === '') kept.text = text;
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
  { text, cc, bcc, template = null, notBefore }: SentAnswer & { notBefore: string | null },
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
    template,
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
