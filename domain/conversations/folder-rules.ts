// The rules of all folders tried on one message: the first folder, in the company's order, with a rule that matches.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Client } from '#domain/people/client.ts';
import type { MessageFacts } from '#domain/rules/message-facts.ts';
import { matchRule, type RuleEvidence } from '#domain/rules/rule-filter.ts';
import { Conversation } from './conversation.ts';
import { Folder, RuleFilter } from './folder.ts';
import { Attachment, type Message } from './message.ts';

export type FolderWithRules = { folder: Folder; rules: RuleFilter[] };

/** All folders in their order, each with its rules in theirs. */
export async function foldersWithRules(em: EntityManager): Promise<FolderWithRules[]> {
  const folders = await em.find(Folder, {}, { orderBy: { position: 'asc' } });
  const rules = await em.find(RuleFilter, {}, { orderBy: { position: 'asc' } });
  return folders.map((folder) => ({ folder, rules: rules.filter((rule) => rule.folderId === folder.id) }));
}

export type FirstMatch = { folder: Folder; rule: RuleFilter; evidence: RuleEvidence[] };

export function firstMatch(folders: readonly FolderWithRules[], facts: MessageFacts): FirstMatch | null {
  for (const { folder, rules } of folders) {
    for (const rule of rules) {
      const { matched, evidence } = matchRule(rule.condition, facts);
      if (matched) return { folder, rule, evidence };
    }
  }
  return null;
}

/** The messages as rules see them, in the order given; a handful of queries for any number. */
export async function messageFacts(em: EntityManager, messages: readonly Message[]): Promise<MessageFacts[]> {
  const conversations = await em.find(Conversation, {
    id: { $in: unique(messages.map((message) => message.conversationId)) },
  });
  const clients = await em.find(Client, {
    id: { $in: unique(conversations.map((conversation) => conversation.clientId)) },
  });
  const attachments = await em.find(Attachment, { messageId: { $in: messages.map(({ id }) => id) }, inline: false });
  const clientOf = new Map(
    conversations.map(({ id, clientId }) => [id, clients.find((client) => client.id === clientId)]),
  );
  const withAttachment = new Set(attachments.map((attachment) => attachment.messageId));
  return messages.map((message) => ({
    channel: message.channel,
    sender: { address: message.sender.address, name: message.sender.name, phone: message.sender.phone ?? null },
    recipients: [...message.recipients, ...message.cc],
    subject: message.subject,
    text: message.text,
    newText: message.newText,
    language: message.language ?? null,
    hasAttachment: withAttachment.has(message.id),
    client: clientOf.get(message.conversationId)?.attributes ?? {},
  }));
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}
