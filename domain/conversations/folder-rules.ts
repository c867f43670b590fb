// The rules of all folders tried on one message: the first folder, in the company's order, with a rule that matches.
// Both questions are asked for every message that comes in, so they are plain rows and one statement each.
import type { EntityManager } from '@mikro-orm/postgresql';
import type { MessageFacts } from '#domain/rules/message-facts.ts';
import { matchRule, type RuleEvidence, type RuleFilter } from '#domain/rules/rule-filter.ts';
import type { Message } from './message.ts';

export type FolderRule = { folder: { id: string; name: string }; position: number; condition: RuleFilter };

/** The rules of all folders, in the order in which they are tried. */
export async function rulesInOrder(em: EntityManager): Promise<FolderRule[]> {
  const rows = await em.execute<{ id: string; name: string; position: number; condition: RuleFilter }[]>(
    `select folder.id, folder.name, rule_filter.position, rule_filter.condition
       from folder join rule_filter on rule_filter.folder_id = folder.id
      order by folder.position, folder.name, rule_filter.position`,
  );
  return rows.map(({ id, name, ...rule }) => ({ folder: { id, name }, ...rule }));
}

export type FirstMatch = FolderRule & { evidence: RuleEvidence[] };

export function firstMatch(rules: readonly FolderRule[], facts: MessageFacts): FirstMatch | null {
  for (const rule of rules) {
    const { matched, evidence } = matchRule(rule.condition, facts);
    if (matched) return { ...rule, evidence };
  }
  return null;
}

/** The messages as rules see them, in the order given; one query for any number. */
export async function messageFacts(em: EntityManager, messages: readonly Message[]): Promise<MessageFacts[]> {
  const rows = await em.execute<{ id: string; client: Record<string, string>; has_attachment: boolean }[]>(
    `select message.id, client.attributes as client,
            exists (select from attachment where message_id = message.id and not inline) as has_attachment
       from message join conversation on conversation.id = message.conversation_id
       join client on client.id = conversation.client_id
      where message.id = any(?::uuid[])`,
    [`{${messages.map((message) => message.id).join(',')}}`],
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  return messages.map((message) => ({
    channel: message.channel,
    sender: { address: message.sender.address, name: message.sender.name, phone: message.sender.phone ?? null },
    recipients: [...message.recipients, ...message.cc],
    subject: message.subject,
    text: message.text,
    newText: message.newText,
    language: message.language ?? null,
    hasAttachment: known.get(message.id)?.has_attachment ?? false,
    client: known.get(message.id)?.client ?? {},
  }));
}
