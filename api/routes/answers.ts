// Answers by hand: in their author's own words, or by a template. A draft that waits is overtaken by either.
import type { EntityManager } from '@mikro-orm/postgresql';
import { type Conversation, holdShownConversation } from '#domain/conversations/conversation.ts';
import { supersedeWaitingDraft } from '#domain/conversations/draft-decision.ts';
import { filledTemplate } from '#domain/conversations/filled-template.ts';
import { type ReplyToWrite, writeReply } from '#domain/conversations/write-reply.ts';
import { startSendReply } from '#domain/record/run-request.ts';
import type { answers } from '../contract/answers.ts';
import type { Answer } from '../contract/route.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import type { Principal } from '../principal.ts';
import { conversationTemplates } from '../views/template-list.ts';
import { findConversation } from './conversations.ts';

export function answerRoutes(dependencies: ApiDependencies): Handlers<typeof answers> {
  const { database, undoMs, sendingAccounts } = dependencies;

  /** What an agent answers by hand, from now on in the hands of its run. */
  function answer(
    principal: Principal,
    id: string,
    words: (
      em: EntityManager,
      conversation: Conversation,
    ) => Promise<Pick<ReplyToWrite, 'text' | 'template' | 'options'>>,
  ): Promise<Answer<typeof answers.writeReply>> {
    return database.inTenant(principal.tenantId, async (em) => {
      const conversation = await holdShownConversation(em, id);
      await supersedeWaitingDraft(em, conversation, principal.actor);
      const reply = await writeReply(em, {
        ...(await words(em, conversation)),
        conversation,
        answersMessageId: null,
        author: principal.actor,
        automatic: false,
        draftId: null,
        undoMs,
        accounts: sendingAccounts,
      });
      startSendReply(em, principal.tenantId, reply.id);
      return { id: reply.id, messageId: reply.messageId, notBefore: reply.notBefore.toISOString() };
    });
  }

  return {
    writeReply: ({ principal, params, body: { text, ...options } }) =>
      answer(principal, params.id, async () => ({ text, options })),

    writeTemplateReply: ({ principal, params, body: { notBefore, ...chosen } }) =>
      answer(principal, params.id, async (em, conversation) => ({
        ...(await filledTemplate(em, conversation, chosen)),
        options: { notBefore },
      })),

    listConversationTemplates: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) =>
        conversationTemplates(em, await findConversation(em, params.id)),
      ),
  };
}
