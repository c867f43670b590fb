// The one JSON format of a custom webhook. The door validates it, the reader reads it, and its JSON Schema is published
// at the door and in docs/.
import { z } from 'zod';

export const LONGEST_CUSTOM_TEXT = 200_000;
const MOST_ATTACHMENTS = 20;

const attachment = z
  .object({
    name: z.string().min(1).max(255).describe('As it is shown and saved; the type is told from the content.'),
    content: z.base64().optional().describe('The file itself, in base64.'),
    url: z
      .url({ protocol: /^https?$/, error: 'is an https address from which the file can be fetched' })
      .max(2_000)
      .optional()
      .describe('A public https address from which the file is fetched once, within a minute or so; at most 32 MB.'),
  })
  .refine(({ content, url }) => (content === undefined) !== (url === undefined), {
    path: ['content'],
    error: 'Give either content or url.',
  })
  .meta({ oneOf: [{ required: ['content'] }, { required: ['url'] }] });

export const customMessageSchema = z.object({
  from: z
    .object({
      email: z.email().max(254).optional(),
      phone: z
        .string()
        .min(3)
        .max(40)
        .optional()
        .describe('In international form, or as it is dialled in the country of the company.'),
      id: z.string().min(1).max(200).optional().describe('The sending system’s own name for the client.'),
      name: z.string().max(200).optional(),
    })
    .refine(
      (from) => from.email || from.phone || from.id,
      'Give an email, a phone or an id, so that the client is known again.',
    )
    .meta({ anyOf: [{ required: ['email'] }, { required: ['phone'] }, { required: ['id'] }] }),
  subject: z.string().max(998).optional(),
  text: z.string().min(1).max(LONGEST_CUSTOM_TEXT),
  html: z.string().max(1_000_000).optional().describe('Shown beside the text, sanitised.'),
  conversation: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Messages with the same value stand in one conversation.'),
  sentAt: z.iso.datetime({ offset: true }).optional().describe('When it was written; else the time it is received.'),
  attachments: z.array(attachment).max(MOST_ATTACHMENTS).default([]),
});

/** What a sender may check its messages against before it sends them. */
export function customMessageJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(customMessageSchema, {
    io: 'input',
    // JSON Schema says it by `contentEncoding`; as a format validators do not know it.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'base64') delete jsonSchema.format;
    },
  });
  return { title: 'A message for a custom webhook of Relais', ...schema };
}

export type CustomMessage = z.output<typeof customMessageSchema>;
