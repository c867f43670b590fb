import { z } from 'zod';
import {
  LONGEST_PARAMETER,
  LONGEST_TEMPLATE_BODY,
  LONGEST_TEMPLATE_NAME,
  MOST_PARAMETERS,
} from '#domain/rules/whatsapp-template.ts';
import { byId, nothing, route } from './route.ts';

/** As typed: the domain says what WhatsApp cannot have approved. */
const templateFields = z.object({
  name: z.string().trim().max(LONGEST_TEMPLATE_NAME),
  /** As Meta writes it: `fr`, `en_US`. */
  language: z.string().trim().max(10),
  /** With {{1}}, {{2}}… as approved. */
  body: z
    .string()
    .trim()
    .max(4 * LONGEST_TEMPLATE_BODY),
});

export const whatsappTemplateView = templateFields.extend({ id: z.uuid() }).meta({ id: 'WhatsappTemplate' });

/** A template with the values of its placeholders, in the order of their numbers. */
export const filledTemplateView = z.object({
  name: z.string(),
  language: z.string(),
  parameters: z.array(z.string()),
});

export const chosenTemplate = z.object({
  templateId: z.uuid(),
  parameters: z.array(z.string().max(LONGEST_PARAMETER)).max(MOST_PARAMETERS),
});

export const whatsappTemplates = {
  listWhatsappTemplates: route({
    method: 'get',
    path: '/numbers/{id}/templates',
    summary: 'The approved templates of a WhatsApp number',
    role: 'admin',
    params: byId,
    reply: z.object({ templates: z.array(whatsappTemplateView) }),
  }),
  addWhatsappTemplate: route({
    method: 'post',
    path: '/numbers/{id}/templates',
    summary: 'Add a template as WhatsApp approved it',
    role: 'admin',
    status: 201,
    params: byId,
    body: templateFields,
    reply: whatsappTemplateView,
  }),
  changeWhatsappTemplate: route({
    method: 'put',
    path: '/whatsapp-templates/{id}',
    summary: 'Change a template; answers that are on their way stay as they were written',
    role: 'admin',
    params: byId,
    body: templateFields,
    reply: whatsappTemplateView,
  }),
  removeWhatsappTemplate: route({
    method: 'delete',
    path: '/whatsapp-templates/{id}',
    summary: 'Remove a template; WhatsApp keeps its own',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
};
