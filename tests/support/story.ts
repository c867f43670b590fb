// The things a domain test starts from: a mailbox, a client, a conversation with one message, a waiting draft.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Draft } from '#domain/conversations/draft.ts';
import { Message } from '#domain/conversations/message.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { recogniseClient } from '#domain/people/client.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';

export function createMailbox(em: EntityManager, address: string): Integration {
  const server = { host: 'mail.test', port: 1, security: 'none' as const, username: address };
  return em.create(Integration, {
    id: newId(),
    channel: 'email',
    name: address,
    address,
    settings: {
      imap: server,
      smtp: server,
      senderName: '',
      folders: ['INBOX'],
      since: '2026-01-01',
      syncEverySeconds: 60,
    },
  });
}

export async function createConversation(em: EntityManager, tenantId: string, from: string, subject = 'Bonjour') {
  const mailbox = createMailbox(em, `support-${newId().slice(-6)}@${tenantId.slice(-6)}.test`);
  const client = await recogniseClient(em, tenantId, [{ kind: 'email', value: from }], 'Camille', 'fr');
  const conversation = em.create(Conversation, {
    id: newId(),
    clientId: client.id,
    integrationId: mailbox.id,
    channel: 'email',
    subject,
    preview: subject,
    lastMessageAt: new Date(),
  });
  const message = em.create(Message, {
    id: newId(),
    conversationId: conversation.id,
    direction: 'inbound',
    channel: 'email',
    integrationId: mailbox.id,
    runId: `tenant/${tenantId}/receipt/${newId()}`,
    externalId: `${newId()}@example.com`,
    references: [],
    sender: { address: from, name: 'Camille' },
    recipients: [mailbox.address],
    cc: [],
    subject,
    text: subject,
    newText: subject,
    kind: 'personal',
    sentAt: new Date(),
  });
  await em.flush();
  return { mailbox, client, conversation, message };
}

export async function createWaitingDraft(em: EntityManager, tenantId: string, from: string) {
  const story = await createConversation(em, tenantId, from);
  const draft = em.create(Draft, {
    id: newId(),
    conversationId: story.conversation.id,
    messageId: story.message.id,
    runId: story.message.runId,
    origin: 'model',
    text: 'Bonjour Camille, voici la réponse.',
    articleIds: [],
  });
  story.conversation.waitingDraftId = draft.id;
  await em.flush();
  return { ...story, draft };
}
