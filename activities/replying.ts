// Whether a message is answered, and with what draft. The decision itself is the pure rule of domain/rules/anti-loop.ts;
// here are the facts it needs, and the words.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation, holdConversation } from '#domain/conversations/conversation.ts';
import { Draft } from '#domain/conversations/draft.ts';
import { Folder } from '#domain/conversations/folder.ts';
import { Message } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import type { Database } from '#domain/database/orm.ts';
import { type FoundArticle, findArticles } from '#domain/knowledge/article.ts';
import { Client } from '#domain/people/client.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { decideReply, type ReplyDecision, type ReplyFacts } from '#domain/rules/anti-loop.ts';
import { hasModel } from '#domain/secrets/model-key.ts';
import { AnsweringSettings } from '#domain/tenancy/answering-settings.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { MessageRef } from './classifying.ts';
import type { Dependencies } from './dependencies.ts';
import { currentRunId, inStep, type StepNotes } from './in-step.ts';
import { type DraftWritten, ModelProvider } from './providers/model.ts';

export type ReplyPlan = ReplyDecision & {
  folderName: string | null;
  /** Whether the company has a model to write with. */
  hasModel: boolean;
};

export type Drafted =
  | { outcome: 'drafted'; draftId: string; origin: 'model' | 'article'; suspicious: boolean; deadlineMs: number | null }
  | { outcome: 'nothing-to-say' }
  | { outcome: 'overtaken' };

export type DraftAsk = MessageRef & {
  /** Why it waits for a person although the folder answers by itself; a stable code. */
  caution: string | null;
};

export function createReplying({ database, keys, patience }: Dependencies) {
  const model = new ModelProvider(database, keys, patience.modelTimeoutMs);

  return {
    /** No, a draft, at once, or look again later; and why. */
    async decideReply({ tenantId, messageId }: MessageRef): Promise<ReplyPlan> {
      return inStep(database, tenantId, 'decideReply', async (em, notes) => {
        const decision = await decideAnew(em, messageId, null, patience.quietMs);
        notes.about({ messageId, conversationId: decision.conversationId });
        notes.found(decision.reply, { reason: decision.reason, folder: decision.folderName });
        const { conversationId: _, ...plan } = decision;
        return plan;
      });
    },

    /**
     * Has the model write the draft that waits in the conversation. Run again, it finds the draft it made.
     * @throws ApplicationFailure as activities/failures.ts says
     */
    async draftByModel(ask: DraftAsk): Promise<Drafted> {
      const earlier = await draftOfThisRun(database, ask);
      if (earlier) return drafted(earlier);
      const asked = await database.inTenant(ask.tenantId, (em) => gather(em, ask.messageId));
      if (!asked.isSorted) return { outcome: 'overtaken' };
      const written = await model.draft(ask.tenantId, { ...asked, instruction: null, previousDraft: null });
      return inStep(database, ask.tenantId, 'draftReply', (em, notes) =>
        keepOnce(em, notes, ask, asked, written, 'model'),
      );
    },

    /** Without a model, or when it has failed for good: the words of the article that fits best, labelled as such. */
    async draftFromArticle(ask: DraftAsk): Promise<Drafted> {
      const earlier = await draftOfThisRun(database, ask);
      if (earlier) return drafted(earlier);
      return inStep(database, ask.tenantId, 'draftReply', async (em, notes) => {
        const asked = await gather(em, ask.messageId);
        if (!asked.isSorted) {
          notes.about({ messageId: ask.messageId, conversationId: asked.conversationId });
          notes.found('overtaken');
          return { outcome: 'overtaken' };
        }
        return keepOnce(em, notes, ask, asked, fromArticle(asked.articles), 'article');
      });
    },

    /** Writes the text again as an agent asked; when that fails the old text comes back with a word of caution. */
    async redraftReply({ tenantId, draftId }: { tenantId: string; draftId: string }): Promise<void> {
      const before = await database.inTenant(tenantId, (em) => em.findOneOrFail(Draft, { id: draftId }));
      const asked = await database.inTenant(tenantId, (em) => gather(em, before.messageId));
      const written = asked.hasModel
        ? await model.draft(tenantId, { ...asked, instruction: before.instruction ?? null, previousDraft: before.text })
        : fromArticle(asked.articles.filter((article) => !before.articleIds.includes(article.id)));
      await inStep(database, tenantId, 'draftReply', async (em, notes) => {
        notes.about({ messageId: before.messageId, conversationId: before.conversationId });
        notes.found(written ? 'written-again' : 'nothing-else-to-say');
        await backToWaiting(em, draftId, {
          ...(written
            ? { text: written.text, articleIds: written.articleIds, origin: asked.hasModel ? 'model' : 'article' }
            : {}),
          caution: cautionAfter(before, written),
        });
      });
    },

    /** The model could not write it again: the draft waits with its old text. */
    async keepOldDraft({ tenantId, draftId }: { tenantId: string; draftId: string }): Promise<void> {
      await inStep(database, tenantId, 'draftReply', async (em, notes) => {
        const draft = await em.findOneOrFail(Draft, { id: draftId });
        notes.about({ messageId: draft.messageId, conversationId: draft.conversationId });
        notes.found('kept-old');
        await backToWaiting(em, draftId, { caution: 'model-failed' });
      });
    },
  };
}

/** What the rules say of a message as things stand now; `mode` takes the place of the folder's when it is given. */
export async function decideAnew(
  em: EntityManager,
  messageId: string,
  mode: ReplyFacts['mode'] | null,
  quietMs: number,
): Promise<ReplyPlan & { conversationId: string }> {
  const message = await em.findOneOrFail(Message, { id: messageId });
  const conversation = await em.findOneOrFail(Conversation, { id: message.conversationId });
  const folder = conversation.folderId ? await em.findOne(Folder, { id: conversation.folderId }) : null;
  const settings = await em.findOne(AnsweringSettings, {});
  const facts = await factsOf(em, message, conversation, mode ?? folder?.replyMode ?? 'off', settings);
  const decision = decideReply(facts, {
    quietMs,
    perClientPerDay: settings?.automaticPerClientPerDay ?? 0,
    perTenantPerDay: settings?.automaticPerDay ?? 0,
  });
  const folderName = folder?.name ?? null;
  return { ...decision, folderName, hasModel: facts.hasModel, conversationId: conversation.id };
}

const SUSPICIOUS = 'suspicious';

// What was to be feared of the message is still to be feared; what went wrong with the last text is not.
function cautionAfter(before: Draft, written: DraftWritten | null): string | null {
  if (!written) return 'no-other-article';
  if (written.suspicious) return SUSPICIOUS;
  const caution = before.caution ?? null;
  return caution && OF_THE_LAST_TEXT.has(caution) ? null : caution;
}

const OF_THE_LAST_TEXT = new Set(['model-failed', 'no-other-article', 'run-ended']);

async function factsOf(
  em: EntityManager,
  message: Message,
  conversation: Conversation,
  mode: ReplyFacts['mode'],
  settings: AnsweringSettings | null,
): Promise<ReplyFacts> {
  // Where nothing is answered there is nothing to count.
  const counts = mode === 'off' ? null : await countReplies(em, message, conversation);
  return {
    mode,
    hasModel: await hasModel(em, settings),
    hasTenantPrompt: Boolean(settings?.prompt.trim()),
    kind: message.kind ?? 'personal',
    mayAutoReply: { allowed: message.autoReplyObstacle == null, reason: message.autoReplyObstacle ?? '' },
    newestInConversation: Number(counts?.newer ?? 0) === 0 && !conversation.deletedAt,
    msSinceLastOutbound: conversation.lastOutboundAt ? Date.now() - conversation.lastOutboundAt.getTime() : null,
    automaticSinceHuman: Number(counts?.since_human ?? 0),
    automaticToClientToday: Number(counts?.to_client ?? 0),
    automaticInTenantToday: Number(counts?.in_tenant ?? 0),
    suspicious: false,
    fromBackfill: message.fromBackfill,
  };
}

type Counts = { since_human: string; to_client: string; in_tenant: string; newer: string };

async function countReplies(em: EntityManager, message: Message, conversation: Conversation): Promise<Counts> {
  const [counts] = await em.execute<Counts[]>(
    `select
       (select count(*) from reply where conversation_id = ? and automatic and state <> 'cancelled'
          and created_at > coalesce((select max(created_at) from reply
                                      where conversation_id = ? and not automatic), '-infinity')) as since_human,
       (select count(*) from reply join conversation on conversation.id = reply.conversation_id
         where conversation.client_id = ? and automatic and reply.created_at > now() - interval '1 day') as to_client,
       (select count(*) from reply where automatic and created_at > now() - interval '1 day') as in_tenant,
       (select count(*) from message where conversation_id = ? and direction = 'inbound' and kind = 'personal'
          and (created_at, id) > (?, ?)) as newer`,
    [conversation.id, conversation.id, conversation.clientId, conversation.id, message.createdAt, message.id],
  );
  return counts!;
}

type Gathered = Awaited<ReturnType<typeof gather>>;

const MESSAGES_SHOWN = 12;

async function gather(em: EntityManager, messageId: string) {
  const message = await em.findOneOrFail(Message, { id: messageId });
  const conversation = await em.findOneOrFail(Conversation, { id: message.conversationId });
  // It may have been moved out of its folder, or the folder removed, since it was decided that there is an answer.
  const sortedInto = conversation.folderId ? await em.findOne(Folder, { id: conversation.folderId }) : null;
  const folder = sortedInto ?? em.create(Folder, { name: '', position: 0 }, { persist: false });
  const settings = await em.findOne(AnsweringSettings, {});
  const client = await em.findOneOrFail(Client, { id: conversation.clientId });
  const newest = await em.find(
    Message,
    { conversationId: conversation.id, kind: 'personal' },
    { orderBy: { sentAt: 'desc' }, limit: MESSAGES_SHOWN },
  );
  const articles = folder.useKnowledge ? await findArticles(em, `${message.subject}\n${message.newText}`) : [];
  return {
    conversationId: conversation.id,
    folder,
    isSorted: sortedInto !== null,
    settings: settings ?? em.create(AnsweringSettings, {}, { persist: false }),
    hasModel: await hasModel(em, settings),
    messages: newest.reverse().map((one) => ({
      from: one.direction === 'inbound' ? ('client' as const) : ('company' as const),
      text: one.newText || one.text,
    })),
    clientName: client.name ?? null,
    subject: conversation.subject,
    language: message.language ?? conversation.language ?? null,
    articles,
  };
}

/** Without a model: the words of the best article, as they stand. */
function fromArticle(articles: FoundArticle[]): DraftWritten | null {
  const [best] = articles;
  return best ? { text: best.text, articleIds: [best.id], suspicious: false } : null;
}

// In any state: while a worker died and another took over, an agent may have decided it already.
function draftOfThisRun(database: Database, { tenantId, messageId }: DraftAsk): Promise<Draft | null> {
  return database.inTenant(tenantId, (em) => em.findOne(Draft, { messageId, runId: currentRunId() }));
}

async function keepOnce(
  em: EntityManager,
  notes: StepNotes,
  ask: DraftAsk,
  asked: Gathered,
  written: DraftWritten | null,
  origin: 'model' | 'article',
): Promise<Drafted> {
  notes.about({ messageId: ask.messageId, conversationId: asked.conversationId });
  if (!written) {
    notes.found('nothing-to-say');
    return { outcome: 'nothing-to-say' };
  }
  const { deletedAt } = await holdConversation(em, asked.conversationId);
  if (deletedAt || (await isOvertaken(em, asked.conversationId, ask.messageId))) {
    notes.found('overtaken');
    return { outcome: 'overtaken' };
  }
  const draft = await keepDraft(em, ask, asked, written, origin);
  const used = asked.articles.filter((found) => written.articleIds.includes(found.id));
  notes.found(origin === 'model' ? 'by-model' : 'from-article', {
    articles: used.map((found) => found.title),
    caution: draft.caution,
  });
  return drafted(draft);
}

async function isOvertaken(em: EntityManager, conversationId: string, messageId: string): Promise<boolean> {
  const { createdAt, id } = await em.findOneOrFail(Message, { id: messageId });
  const later = { $or: [{ createdAt: { $gt: createdAt } }, { createdAt, id: { $gt: id } }] };
  return (
    (await em.count(Message, { ...later, conversationId, direction: 'inbound', kind: 'personal' })) > 0 ||
    (await em.count(Reply, { conversationId, createdAt: { $gt: createdAt } })) > 0
  );
}

async function keepDraft(
  em: EntityManager,
  ask: DraftAsk,
  asked: Gathered,
  written: DraftWritten,
  origin: 'model' | 'article',
): Promise<Draft> {
  const { deadlineSeconds } = asked.folder;
  const draft = em.create(Draft, {
    id: newId(),
    conversationId: asked.conversationId,
    messageId: ask.messageId,
    folderId: asked.folder.id,
    runId: currentRunId(),
    origin,
    text: written.text,
    articleIds: written.articleIds,
    caution: written.suspicious ? SUSPICIOUS : ask.caution,
    deadlineAt:
      deadlineSeconds === null || deadlineSeconds === undefined ? null : new Date(Date.now() + deadlineSeconds * 1000),
    deadlineAction: asked.folder.deadlineAction,
  });
  const conversation = await em.findOneOrFail(Conversation, { id: asked.conversationId });
  conversation.waitingDraftId = draft.id;
  audit(em, origin === 'model' ? { kind: 'model' } : { kind: 'system' }, {
    action: 'draft.written',
    subject: { kind: 'draft', id: draft.id },
    after: { origin, articleIds: written.articleIds },
  });
  announce(em, 'draft.waiting', conversation.id, { draftId: draft.id });
  return draft;
}

function drafted(draft: Draft): Drafted {
  return {
    outcome: 'drafted',
    draftId: draft.id,
    origin: draft.origin === 'model' ? 'model' : 'article',
    suspicious: draft.caution === SUSPICIOUS,
    deadlineMs: draft.deadlineAt ? Math.max(0, draft.deadlineAt.getTime() - Date.now()) : null,
  };
}

// Only while it is being written again: a newer message may have superseded it meanwhile.
async function backToWaiting(
  em: EntityManager,
  draftId: string,
  change: { text?: string; articleIds?: string[]; origin?: Draft['origin']; caution: string | null },
): Promise<void> {
  const draft = await em.findOneOrFail(Draft, { id: draftId });
  const back = await em.nativeUpdate(
    Draft,
    { id: draftId, state: 'regenerating' },
    { ...change, state: 'waiting', version: draft.version + 1, instruction: null },
  );
  if (back === 1) announce(em, 'draft.waiting', draft.conversationId, { draftId, version: draft.version + 1 });
}
