// The life of a conversation. "Urgent" is shown and filtered like a status, but is a priority
// beside new or in progress, so that an urgent conversation can also be in progress.

export const STATUSES = ['new', 'in_progress', 'resolved', 'archived', 'spam'] as const;
export type Status = (typeof STATUSES)[number];
export type Priority = 'normal' | 'urgent';

/** Where a person may move it to. "New" is set by an arriving message only, or given back by "not spam". */
const BY_HAND: Record<Status, Status[]> = {
  new: ['in_progress', 'resolved', 'archived', 'spam'],
  in_progress: ['resolved', 'archived', 'spam'],
  resolved: ['in_progress', 'archived', 'spam'],
  archived: ['in_progress', 'resolved', 'spam'],
  spam: ['new', 'archived'],
};

/** @returns the statuses a person may choose from `from`, itself included (no change). */
export function allowedStatuses(from: Status): Status[] {
  return STATUSES.filter((status) => status === from || BY_HAND[from].includes(status));
}

export function mayChangeStatus(from: Status, to: Status): boolean {
  return allowedStatuses(from).includes(to);
}

export function shownStatus(status: Status, priority: Priority): Status | 'urgent' {
  const open = status === 'new' || status === 'in_progress';
  return open && priority === 'urgent' ? 'urgent' : status;
}
