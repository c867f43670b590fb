// Answers that agents write by hand.
import { z } from 'zod';
import { replyOptions } from './reply-options.ts';
import { byId, route } from './route.ts';
import { chosenTemplate, whatsappTemplateView } from './whatsapp-templates.ts';

const writtenReply = z.object({ id: z.uuid(), messageId: z.uuid(), notBefore: z.iso.datetime() });

export const answers = {
  writeReply: route({
    method: 'post',
    path: '/conversations/{id}/replies',
    summary: 'Answer the client by hand; a waiting draft is superseded',
    role: 'agent',
    status: 201,
    params: byId,
    body: replyOptions.extend({ text: z.string().trim().min(1).max(100_000) }),
    reply: writtenReply,
  }),
  writeTemplateReply: route({
    method: 'post',
    path: '/conversations/{id}/template-replies',
    summary: 'Answer a client of WhatsApp with an approved template, which is taken after its 24 hours too',
    role: 'agent',
    status: 201,
    params: byId,
    body: replyOptions.pick({ notBefore: true }).extend(chosenTemplate.shape),
    reply: writtenReply,
  }),
  listConversationTemplates: route({
    method: 'get',
    path: '/conversations/{id}/templates',
    summary: 'The templates a conversation of WhatsApp can be answered with',
    role: 'agent',
    params: byId,
    reply: z.object({
      /** Whose templates they are; null when the number is connected no more, or it is no conversation of WhatsApp. */
      numberId: z.uuid().nullable(),
      templates: z.array(whatsappTemplateView),
    }),
  }),
};
