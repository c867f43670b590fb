// What can go along with an answer, written by hand or approved.
import { z } from 'zod';
import { MOST_FILES } from '#domain/rules/outgoing-files.ts';

const MOST_COPIES = 20;
/** As typed: the domain says which of them is no address. */
const copies = z.array(z.string().trim().min(1).max(320)).max(MOST_COPIES).default([]);

export const replyOptions = z.object({
  cc: copies,
  /** Nobody but these recipients learns of them. */
  bcc: copies,
  /** Files that were handed in before, in their order; each goes with one answer. */
  uploadIds: z.array(z.uuid()).max(MOST_FILES).default([]),
  /** Scheduled for this moment; without one it leaves after its time to undo. */
  notBefore: z.iso
    .datetime({ offset: true })
    .transform((moment) => new Date(moment))
    .nullable()
    .default(null),
});
