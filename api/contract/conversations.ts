import { z } from 'zod';
import { STATUSES } from '#domain/rules/conversation-status.ts';
import { DELIVERIES } from '#domain/rules/delivery.ts';
import { INVITATION_METHODS } from '#domain/rules/file-card.ts';
import { FILE_VERDICTS } from '#domain/rules/file-verdict.ts';
import { CHANNELS, DEADLINE_ACTIONS, REPLY_STATES, SORTERS } from '#domain/rules/words.ts';
import { byId, nothing, pageOf, route } from './route.ts';
import { filledTemplateView } from './whatsapp-templates.ts';

export const shownStatus = z.enum([...STATUSES, 'urgent']);

/** Where the list looks: a folder, or one of the places beside the folders. */
export const PLACES = [
  'inbox',
  'unsorted',
  'to-approve',
  'newsletters',
  'automatic',
  'spam',
  'resolved',
  'archived',
  'all',
] as const;

export const conversationRow = z
  .object({
    id: z.uuid(),
    subject: z.string(),
    preview: z.string(),
    channel: z.enum(CHANNELS),
    status: shownStatus,
    kind: z.string(),
    folderId: z.uuid().nullable(),
    sortedBy: z.enum(SORTERS).nullable(),
    assigneeId: z.uuid().nullable(),
    unread: z.boolean(),
    intent: z.string().nullable(),
    lastMessageAt: z.iso.datetime(),
    messageCount: z.int(),
    waitingDraftId: z.uuid().nullable(),
    draftDeadlineAt: z.iso.datetime().nullable(),
    client: z.object({ id: z.uuid(), name: z.string().nullable(), contact: z.string().nullable() }),
  })
  .meta({ id: 'ConversationRow' });

/** What an invitation or a business card says. */
const fileCard = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('invitation'),
    method: z.enum(INVITATION_METHODS),
    title: z.string(),
    /** With `Z` an instant; without, by the reader's clock; a bare date for whole days. */
    start: z.string(),
    end: z.string().nullable(),
    place: z.string().nullable(),
    organiser: z.string().nullable(),
    repeats: z.boolean(),
  }),
  z.object({
    kind: z.literal('contact'),
    name: z.string(),
    organisation: z.string().nullable(),
    phones: z.array(z.string()),
    emails: z.array(z.string()),
  }),
]);

export const attachmentView = z.object({
  id: z.uuid(),
  name: z.string(),
  type: z.string(),
  size: z.int(),
  inline: z.boolean(),
  /** Blocked and infected files are kept and listed; only an admin may have them. */
  verdict: z.enum(FILE_VERDICTS),
  verdictReason: z.string().nullable(),
  card: fileCard.nullable(),
});

export const messageView = z
  .object({
    id: z.uuid(),
    direction: z.enum(['inbound', 'outbound']),
    channel: z.enum(CHANNELS),
    kind: z.string().nullable(),
    kindReason: z.string().nullable(),
    sender: z.object({ name: z.string().nullable(), address: z.string().nullable(), phone: z.string().nullable() }),
    recipients: z.array(z.string()),
    cc: z.array(z.string()),
    bcc: z.array(z.string()),
    subject: z.string(),
    newText: z.string(),
    /** Everything, when quotes or a signature were folded away. */
    fullText: z.string().nullable(),
    hasHtml: z.boolean(),
    /** The approved template of WhatsApp its text was made from. */
    template: filledTemplateView.nullable(),
    sentAt: z.iso.datetime(),
    attachments: z.array(attachmentView),
    /** How an outgoing message fares. */
    reply: z
      .object({
        id: z.uuid(),
        state: z.enum(REPLY_STATES),
        automatic: z.boolean(),
        authorId: z.uuid().nullable(),
        authorKind: z.string(),
        notBefore: z.iso.datetime(),
        /** The moment was chosen by a person. */
        scheduled: z.boolean(),
        failure: z.string().nullable(),
        lastResponse: z.string().nullable(),
        /** Whom the mail server refused while it took the mail for the others. */
        refusedRecipients: z.array(z.string()),
        /** How far an SMS or a WhatsApp message came, by the provider's receipts. */
        delivery: z.enum(DELIVERIES).nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Message' });

export const draftView = z
  .object({
    id: z.uuid(),
    messageId: z.uuid(),
    state: z.enum(['waiting', 'regenerating']),
    origin: z.enum(['model', 'article']),
    text: z.string(),
    version: z.int(),
    caution: z.string().nullable(),
    articles: z.array(z.object({ id: z.uuid(), title: z.string() })),
    deadlineAt: z.iso.datetime().nullable(),
    deadlineAction: z.enum(DEADLINE_ACTIONS).nullable(),
    remindedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Draft' });

export const followUpView = z
  .object({
    id: z.uuid(),
    conversationId: z.uuid(),
    mode: z.enum(['remind', 'send']),
    state: z.enum(['armed', 'fired', 'cancelled']),
    text: z.string(),
    dueAt: z.iso.datetime(),
    settledAt: z.iso.datetime().nullable(),
    cancelReason: z.string().nullable(),
    doneAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'FollowUp' });

export const noteView = z.object({ id: z.uuid(), authorId: z.uuid(), text: z.string(), createdAt: z.iso.datetime() });

export const stepView = z
  .object({
    id: z.uuid(),
    runId: z.string(),
    messageId: z.uuid().nullable(),
    name: z.string(),
    outcome: z.string(),
    facts: z.record(z.string(), z.unknown()),
    evidence: z.array(z.string()),
    at: z.iso.datetime(),
    durationMs: z.int(),
  })
  .meta({ id: 'Step' });

export const conversationView = conversationRow
  .extend({
    progress: z.enum(STATUSES),
    allowedStatuses: z.array(shownStatus),
    language: z.string().nullable(),
    messages: z.array(messageView),
    draft: draftView.nullable(),
    notes: z.array(noteView),
    followUps: z.array(followUpView),
    contacts: z.array(z.object({ kind: z.string(), value: z.string() })),
    /** The last few other conversations of this client. */
    otherConversations: z.array(
      z.object({
        id: z.uuid(),
        subject: z.string(),
        channel: z.enum(CHANNELS),
        status: shownStatus,
        lastMessageAt: z.iso.datetime(),
      }),
    ),
    canReply: z.boolean(),
    /** When WhatsApp stops taking free text, or has stopped; null where that does not matter. */
    replyUntil: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Conversation' });

export const conversations = {
  listConversations: route({
    method: 'get',
    path: '/conversations',
    summary: 'Conversations, newest first',
    role: 'viewer',
    query: z.object({
      folderId: z.uuid().optional(),
      place: z.enum(PLACES).optional(),
      status: shownStatus.optional(),
      channel: z.enum(CHANNELS).optional(),
      assigneeId: z.uuid().optional(),
      intent: z.string().max(30).optional(),
      unread: z.stringbool().optional(),
      cursor: z.string().max(200).optional(),
      limit: z.coerce.number<number>().int().min(1).max(100).default(50),
    }),
    reply: pageOf(conversationRow),
  }),
  getConversation: route({
    method: 'get',
    path: '/conversations/{id}',
    summary: 'One conversation with its messages, its waiting draft and its client',
    role: 'viewer',
    params: byId,
    reply: conversationView,
  }),
  listSteps: route({
    method: 'get',
    path: '/conversations/{id}/steps',
    summary: 'Why is this here: what each run decided, by what, from which words',
    role: 'viewer',
    params: byId,
    reply: z.object({
      steps: z.array(stepView),
      runs: z.array(z.object({ runId: z.string(), url: z.string().nullable() })),
    }),
  }),
  readConversation: route({
    method: 'put',
    path: '/conversations/{id}/reading',
    summary: 'Mark as read, or as unread again',
    role: 'agent',
    status: 204,
    params: byId,
    body: z.object({ read: z.boolean() }),
    reply: nothing,
  }),
  moveConversation: route({
    method: 'put',
    path: '/conversations/{id}/folder',
    summary: 'Move into a folder; rules and model leave it there',
    role: 'agent',
    status: 204,
    params: byId,
    body: z.object({ folderId: z.uuid().nullable() }),
    reply: nothing,
  }),
  changeStatus: route({
    method: 'put',
    path: '/conversations/{id}/status',
    summary: 'Change the status; urgent is a status here and a priority underneath',
    role: 'agent',
    status: 204,
    params: byId,
    body: z.object({ status: shownStatus }),
    reply: nothing,
  }),
  assignConversation: route({
    method: 'put',
    path: '/conversations/{id}/assignee',
    summary: 'Assign to an agent, or to nobody',
    role: 'agent',
    status: 204,
    params: byId,
    body: z.object({ userId: z.uuid().nullable() }),
    reply: nothing,
  }),
  addNote: route({
    method: 'post',
    path: '/conversations/{id}/notes',
    summary: 'Add an internal note',
    role: 'agent',
    status: 201,
    params: byId,
    body: z.object({ text: z.string().trim().min(1).max(20_000) }),
    reply: noteView,
  }),
  addFollowUp: route({
    method: 'post',
    path: '/conversations/{id}/follow-ups',
    summary: 'Be reminded, or write to the client, when no answer has come',
    role: 'agent',
    status: 201,
    params: byId,
    body: z.object({
      mode: z.enum(['remind', 'send']),
      dueAt: z.iso.datetime({ offset: true }),
      text: z.string().max(20_000).default(''),
    }),
    reply: followUpView,
  }),
  deleteConversation: route({
    method: 'delete',
    path: '/conversations/{id}',
    summary: 'Delete for good; mail that is fetched again stays deleted',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
  correctKind: route({
    method: 'put',
    path: '/messages/{id}/kind',
    summary: 'Not a newsletter, not spam, or spam: corrects the filter, and the sender counts so from then on',
    role: 'agent',
    status: 204,
    params: byId,
    body: z.object({ kind: z.enum(['personal', 'newsletter', 'spam']) }),
    reply: nothing,
  }),
};
