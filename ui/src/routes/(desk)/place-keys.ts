// Where the keys lead, for the shortcuts, their list and the left column.
import { m } from '#paraglide/messages.js';

export const PLACE_KEYS = [
  { keys: 'g i', path: '/mail/inbox', label: () => m.place_inbox() },
  { keys: 'g u', path: '/mail/unsorted', label: () => m.place_unsorted() },
  { keys: 'g v', path: '/mail/to-approve', label: () => m.place_to_approve() },
  { keys: 'g r', path: '/follow-ups', label: () => m.place_due() },
  { keys: 'g c', path: '/outbox', label: () => m.place_outbox() },
  { keys: 'g n', path: '/mail/newsletters', label: () => m.place_newsletters() },
  { keys: 'g a', path: '/mail/automatic', label: () => m.place_automatic() },
  { keys: 'g p', path: '/mail/spam', label: () => m.place_spam() },
  { keys: 'g d', path: '/mail/resolved', label: () => m.place_resolved() },
  { keys: 'g h', path: '/mail/archived', label: () => m.place_archived() },
  { keys: 'g s', path: '/settings', label: () => m.settings() },
];
