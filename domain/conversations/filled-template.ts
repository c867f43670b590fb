// A template somebody chose for a conversation, with what they typed into its placeholders.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict, Invalid, NotFound } from '#domain/errors.ts';
import { WhatsappTemplate } from '#domain/integrations/whatsapp-template.ts';
import {
  type FilledTemplate,
  fillTemplate,
  type ParameterProblem,
  parameterCount,
  parameterProblem,
} from '#domain/rules/whatsapp-template.ts';
import type { Conversation } from './conversation.ts';
import { connectedNumber } from './reply-way.ts';

const SENTENCES: Record<ParameterProblem, string> = {
  'parameter-missing': 'Fill in every field of the template.',
  'parameter-lines': 'WhatsApp takes no line breaks and no tabs in the fields of a template: write it in one line.',
  'parameter-spaces': 'WhatsApp takes no more than four spaces in a row in the fields of a template: take some out.',
};

/**
 * @param parameters in the order of their numbers
 * @throws Conflict when the conversation is none of WhatsApp; NotFound; Invalid for what WhatsApp would refuse
 */
export async function filledTemplate(
  em: EntityManager,
  conversation: Conversation,
  { templateId, parameters: typed }: { templateId: string; parameters: readonly string[] },
): Promise<{ text: string; template: FilledTemplate }> {
  if (conversation.channel !== 'whatsapp')
    throw new Conflict('template.other-channel', 'Templates are for WhatsApp: write a free answer.');
  const { id: integrationId } = await connectedNumber(em, conversation);
  const template = await em.findOne(WhatsappTemplate, { id: templateId, integrationId });
  if (!template) throw new NotFound('template.not-found', 'This number has no such template: choose another one.');
  const parameters = typed.map((parameter) => parameter.trim());
  if (parameters.length !== parameterCount(template.body))
    throw new Invalid('template.changed', 'The template has other fields by now: choose it again and fill them in.');
  const problem = parameters.map(parameterProblem).find(Boolean);
  if (problem) throw new Invalid(`template.${problem}`, SENTENCES[problem]);
  const { name, language, body } = template;
  return { text: fillTemplate(body, parameters), template: { name, language, parameters } };
}
