import type { ConversationView } from '#lib/api.ts';

/** WhatsApp does not take free text any more. */
export function isClosed({ replyUntil }: ConversationView, now = Date.now()): boolean {
  return replyUntil !== null && new Date(replyUntil).getTime() <= now;
}
