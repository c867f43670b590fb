import { m } from '#paraglide/messages.js';
import type { ShownStatus } from '../api.ts';

export const STATUSES: readonly ShownStatus[] = ['new', 'in_progress', 'urgent', 'resolved', 'archived', 'spam'];

export function statusWord(status: ShownStatus): string {
  const words: Record<ShownStatus, () => string> = {
    new: m.status_new,
    in_progress: m.status_in_progress,
    urgent: m.status_urgent,
    resolved: m.status_resolved,
    archived: m.status_archived,
    spam: m.status_spam,
  };
  return words[status]();
}
