// Sorts a message into a folder: the rules of the folders first, in the folders' order; what they leave, and the intent,
// is the model's to judge when the company has one. A person's choice is never overridden.
import { createHash } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation, holdConversation } from '#domain/conversations/conversation.ts';
import { Folder } from '#domain/conversations/folder.ts';
import { firstMatch, messageFacts, rulesInOrder } from '#domain/conversations/folder-rules.ts';
import { Message } from '#domain/conversations/message.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startReclassifyFolderless } from '#domain/record/run-request.ts';
import { describeRule } from '#domain/rules/rule-filter.ts';
import { mayAskModel } from '#domain/secrets/model-key.ts';
import { AnsweringSettings } from '#domain/tenancy/answering-settings.ts';
import type { Dependencies } from './dependencies.ts';
import { inStep } from './in-step.ts';
import { ModelProvider, PROMPT_VERSION } from './providers/model.ts';

export type MessageRef = { tenantId: string; messageId: string };

export type RuleVerdict = {
  /** Whether the model is to be asked: for the folder the rules left open, and for intent and urgency. */
  askModel: boolean;
  folder: { id: string; name: string; rule: number } | null;
  /** A person has already sorted this conversation. */
  settled: boolean;
};

/** Where a message goes, by whom; ids and codes only. */
export type Sorting = {
  folderId: string | null;
  by: 'rule' | 'model' | 'nobody';
  rule?: number;
  confidence?: number;
  intent?: string | null;
  urgent?: boolean;
  judgedBy?: string | null;
};

export type ModelVerdict = Sorting & { folderName: string | null };

export function createClassifying({ database, keys, patience }: Dependencies) {
  const model = new ModelProvider(database, keys, patience.modelTimeoutMs);

  return {
    /** Tries the rules of every folder on the message. */
    async classifyMessage({ tenantId, messageId }: MessageRef): Promise<RuleVerdict> {
      return inStep(database, tenantId, 'classifyMessage', async (em, notes) => {
        const message = await em.findOneOrFail(Message, { id: messageId });
        const conversation = await em.findOneOrFail(Conversation, { id: message.conversationId });
        notes.about({ messageId, conversationId: conversation.id });
        const askModel = await mayAskModel(em);
        if (conversation.sortedBy === 'person') {
          notes.found('sorted-by-person');
          return { askModel, folder: null, settled: true };
        }
        const [facts] = await messageFacts(em, [message]);
        const match = firstMatch(await rulesInOrder(em), facts!);
        if (!match) {
          notes.found(askModel ? 'left-to-model' : 'no-rule-matched');
          return { askModel, folder: null, settled: false };
        }
        const { folder, position, condition, evidence } = match;
        notes.found(
          'rule-matched',
          { folder: folder.name, rule: position, condition: describeRule(condition) },
          evidence.map((found) => `${found.field}: ${found.words}`),
        );
        return { askModel, folder: { ...folder, rule: position }, settled: false };
      });
    },

    /**
     * One call of the model compares the message with all folders that have an AI filter, and names intent and urgency.
     * @throws ApplicationFailure as activities/failures.ts says
     */
    async judgeMessage({ tenantId, messageId }: MessageRef): Promise<ModelVerdict> {
      const began = Date.now();
      const asked = await database.inTenant(tenantId, async (em) => {
        const message = await em.findOneOrFail(Message, { id: messageId });
        const settings = await em.findOneOrFail(AnsweringSettings, {});
        const folders = await modelFolders(em);
        const conversation = await em.findOneOrFail(Conversation, { id: message.conversationId });
        return { message, conversation, settings, folders };
      });
      const digest = judgementDigest(asked.message, asked.settings, asked.folders);
      if (asked.conversation.judgedBy === digest) return { folderId: null, folderName: null, by: 'nobody' };
      const judgement = await model.judge(tenantId, asked);
      const chosen = asked.folders.find((folder) => folder.id === judgement.folderId) ?? null;
      const sure = chosen !== null && judgement.confidence >= asked.settings.confidenceThreshold;
      await inStep(database, tenantId, 'classifyMessage', async (_em, notes) => {
        notes.about({ messageId, conversationId: asked.message.conversationId });
        notes.found(sure ? 'model-chose' : 'model-unsure', {
          folder: chosen?.name ?? null,
          confidence: judgement.confidence,
          threshold: asked.settings.confidenceThreshold,
          reason: judgement.reason,
          intent: judgement.intent,
          urgent: judgement.urgent,
          model: asked.settings.modelName,
          modelMs: Date.now() - began,
        });
      });
      return {
        folderId: sure ? chosen.id : null,
        folderName: sure ? chosen.name : null,
        by: sure ? 'model' : 'nobody',
        confidence: judgement.confidence,
        intent: judgement.intent,
        urgent: judgement.urgent,
        judgedBy: digest,
      };
    },

    /** Puts the conversation where it belongs, unless a person already did. */
    async sortConversation({ tenantId, messageId, ...sorting }: MessageRef & Sorting): Promise<void> {
      await inStep(database, tenantId, 'sortConversation', async (em, notes) => {
        const message = await em.findOneOrFail(Message, { id: messageId });
        const conversation = await holdConversation(em, message.conversationId);
        notes.about({ messageId, conversationId: conversation.id });
        if (sorting.intent) {
          message.intent = sorting.intent;
          conversation.intent = sorting.intent;
        }
        if (sorting.urgent) raise(em, conversation);
        if (sorting.judgedBy) conversation.judgedBy = sorting.judgedBy;
        const before = { folderId: conversation.folderId };
        const chosen = sorting.folderId ? await heldFolder(em, sorting.folderId) : null;
        const moved = chosen !== null && conversation.sortInto(chosen.id, sorting.by === 'rule' ? 'rule' : 'model');
        // Removed since it was chosen: by then its other conversations were sorted again.
        if (sorting.folderId && !chosen) startReclassifyFolderless(em, tenantId);
        const folder = conversation.folderId ? await em.findOne(Folder, { id: conversation.folderId }) : null;
        notes.found(moved ? `sorted-by-${sorting.by}` : 'unchanged', {
          folder: folder?.name ?? null,
          rule: sorting.rule ?? null,
        });
        if (moved) {
          audit(em, sorting.by === 'rule' ? { kind: 'rule', id: sorting.folderId! } : { kind: 'model' }, {
            action: 'conversation.sorted',
            subject: { kind: 'conversation', id: conversation.id },
            before,
            after: { folderId: conversation.folderId },
          });
        }
        announce(em, 'conversation.sorted', conversation.id, { folderId: conversation.folderId ?? null });
      });
    },
  };
}

/** The model has found it urgent. */
function raise(em: EntityManager, conversation: Conversation): void {
  const before = { status: conversation.shownStatus() };
  conversation.prioritise('urgent');
  const after = { status: conversation.shownStatus() };
  if (after.status === before.status) return;
  audit(
    em,
    { kind: 'model' },
    {
      action: 'conversation.prioritised',
      subject: { kind: 'conversation', id: conversation.id },
      before,
      after,
    },
  );
}

/** Whoever removes it waits until this transaction has ended, and sees what was sorted into it. */
function heldFolder(em: EntityManager, id: string): Promise<Folder | null> {
  return em.findOne(Folder, { id }, { lockMode: LockMode.PESSIMISTIC_READ });
}

/** The folders the model may choose from. */
export function modelFolders(em: EntityManager): Promise<Folder[]> {
  return em.find(Folder, { aiFilter: { $ne: null } }, { orderBy: { position: 'asc', name: 'asc' } });
}

/** What the model judges from: it is asked again only when message, folders or model change. */
export function judgementDigest(message: Message, settings: AnsweringSettings, folders: readonly Folder[]): string {
  const descriptions = folders.map((folder) => [folder.id, folder.name, folder.aiFilter]);
  return createHash('sha256')
    .update(JSON.stringify([PROMPT_VERSION, message.id, settings.modelBaseUrl, settings.modelName, descriptions]))
    .digest('hex');
}
