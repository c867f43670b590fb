// The templates of a WhatsApp number, by name and language: for its settings, and for an answer.
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Conversation } from '#domain/conversations/conversation.ts';
import { connectedNumber } from '#domain/conversations/reply-way.ts';
import { Conflict } from '#domain/errors.ts';
import { WhatsappTemplate } from '#domain/integrations/whatsapp-template.ts';
import type { answers } from '../contract/answers.ts';
import type { Answer } from '../contract/route.ts';
import type { whatsappTemplates } from '../contract/whatsapp-templates.ts';

type View = Answer<typeof whatsappTemplates.addWhatsappTemplate>;

export async function templateList(em: EntityManager, integrationId: string): Promise<View[]> {
  const templates = await em.find(WhatsappTemplate, { integrationId }, { orderBy: { name: 'asc', language: 'asc' } });
  return templates.map(templateViewOf);
}

export function templateViewOf({ id, name, language, body }: WhatsappTemplate): View {
  return { id, name, language, body };
}

export async function conversationTemplates(
  em: EntityManager,
  conversation: Conversation,
): Promise<Answer<typeof answers.listConversationTemplates>> {
  const numberId = conversation.channel === 'whatsapp' ? await numberOf(em, conversation) : null;
  return { numberId, templates: numberId ? await templateList(em, numberId) : [] };
}

async function numberOf(em: EntityManager, conversation: Conversation): Promise<string | null> {
  try {
    return (await connectedNumber(em, conversation)).id;
  } catch (error) {
    if (error instanceof Conflict) return null;
    throw error;
  }
}
