// The one JSON format of a custom webhook. The door validates it, the reader reads it, and its JSON Schema is published.
import { z } from 'zod';

export const LONGEST_CUSTOM_TEXT = 200_000;
const MOST_ATTACHMENTS = 20;

export const customMessageSchema = z
  .object({
    from: z
      .object({
        email: z.email().max(254).optional(),
        phone: z.string().min(3).max(40).optional(),
        /** The sending system's own name for the client. */
        id: z.string().min(1).max(200).optional(),
        name: z.string().max(200).optional(),
      })
      .refine(
        (from) => from.email || from.phone || from.id,
        'Give an email, a phone or an id, so that the client is known again.',
      ),
    subject: z.string().max(998).optional(),
    text: z.string().min(1).max(LONGEST_CUSTOM_TEXT),
    html: z.string().max(1_000_000).optional(),
    /** Messages with the same value stand in one conversation. */
    conversation: z.string().min(1).max(200).optional(),
    sentAt: z.iso.datetime({ offset: true }).optional(),
    attachments: z
      .array(z.object({ name: z.string().min(1).max(255), content: z.base64() }))
      .max(MOST_ATTACHMENTS)
      .default([]),
  })
  .meta({ id: 'CustomMessage' });

export type CustomMessage = z.output<typeof customMessageSchema>;
