// Sorts again what has no folder: rules may have come since, and the model is asked again only where message, folders
// or model have changed.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation, holdConversation } from '#domain/conversations/conversation.ts';
import { firstMatch, messageFacts, rulesInOrder } from '#domain/conversations/folder-rules.ts';
import { Message } from '#domain/conversations/message.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { hasModel } from '#domain/secrets/model-key.ts';
import { AnsweringSettings } from '#domain/tenancy/answering-settings.ts';
import { judgementDigest, modelFolders } from './classifying.ts';
import type { Dependencies } from './dependencies.ts';

const PAGE = 50;

export type FolderlessPage = {
  /** Messages the model has not judged as things stand now. */
  askModel: string[];
  sorted: number;
  /** Where the next page begins; null after the last one. */
  next: string | null;
};

export function createReclassifying({ database }: Dependencies) {
  return {
    /** Tries the rules on one page of conversations that have no folder and that no person has sorted. */
    async sortFolderlessPage({ tenantId, after }: { tenantId: string; after: string | null }): Promise<FolderlessPage> {
      return database.inTenant(tenantId, async (em) => {
        const page = await folderless(em, after);
        const rules = await rulesInOrder(em);
        const settings = await em.findOne(AnsweringSettings, {});
        const asksModel = await hasModel(em, settings);
        const described = await modelFolders(em);
        const askModel: string[] = [];
        let sorted = 0;
        for (const conversation of page) {
          const message = await newestOfClient(em, conversation.id);
          if (!message) continue;
          const [facts] = await messageFacts(em, [message]);
          const match = firstMatch(rules, facts!);
          // A person may move it while the page is being looked at.
          if (match) await holdConversation(em, conversation.id);
          if (conversation.sortedBy === 'person') continue;
          if (match && conversation.sortInto(match.folder.id, 'rule')) {
            sorted += 1;
            recordMove(em, conversation, match.folder.id);
          } else if (settings && asksModel && conversation.judgedBy !== judgementDigest(message, settings, described)) {
            askModel.push(message.id);
          }
        }
        return { askModel, sorted, next: page.length === PAGE ? page.at(-1)!.id : null };
      });
    },
  };
}

function folderless(em: EntityManager, after: string | null): Promise<Conversation[]> {
  return em.find(
    Conversation,
    {
      folderId: null,
      deletedAt: null,
      sortedBy: null,
      kind: 'personal',
      status: { $in: ['new', 'in_progress'] },
      ...(after ? { id: { $gt: after } } : {}),
    },
    { orderBy: { id: 'asc' }, limit: PAGE },
  );
}

function newestOfClient(em: EntityManager, conversationId: string): Promise<Message | null> {
  return em.findOne(
    Message,
    { conversationId, direction: 'inbound', kind: 'personal' },
    { orderBy: { sentAt: 'desc' } },
  );
}

function recordMove(em: EntityManager, conversation: Conversation, folderId: string): void {
  audit(
    em,
    { kind: 'rule', id: folderId },
    {
      action: 'conversation.sorted',
      subject: { kind: 'conversation', id: conversation.id },
      before: { folderId: null },
      after: { folderId },
    },
  );
  announce(em, 'conversation.sorted', conversation.id, { folderId });
}
