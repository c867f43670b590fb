// Pure questions about rows of the list: do they belong, which is newer, how does a fresh page join the older ones.
import type { ConversationRow } from './api.ts';
import type { ListFilters, Where } from './places.ts';

const CLOSED = ['resolved', 'archived', 'spam'];

/** The list's own order: newest message first, then the id. */
export function isNewer(one: ConversationRow, other: ConversationRow): boolean {
  if (one.lastMessageAt !== other.lastMessageAt) return one.lastMessageAt > other.lastMessageAt;
  return one.id > other.id;
}

/** What the server would say, for rows that changed here a moment ago. */
export function belongs(row: ConversationRow, where: Where, filters: ListFilters): boolean {
  return isAt(row, where, filters) && fits(row, filters);
}

/**
 * @param isWhole there is nothing after this page, so that rows missing in it have left
 * @param openId a row that stays where it was although it has left
 */
export function mergePage(
  before: readonly ConversationRow[],
  page: readonly ConversationRow[],
  isWhole: boolean,
  openId: string | null,
): { rows: ConversationRow[]; hasOlder: boolean } {
  const inPage = new Set(page.map((row) => row.id));
  const last = page.at(-1);
  const meets = before.some((row) => inPage.has(row.id));
  const older = isWhole || !last || !meets ? [] : before.filter((row) => !inPage.has(row.id) && isNewer(last, row));
  const rows = [...page, ...older];
  const kept = before.find((row) => row.id === openId && !rows.some(({ id }) => id === openId));
  if (kept) {
    const at = rows.findIndex((row) => isNewer(kept, row));
    rows.splice(at < 0 ? rows.length : at, 0, kept);
  }
  return { rows, hasOlder: older.length > 0 };
}

function isAt(row: ConversationRow, { place, folderId }: Where, { status }: ListFilters): boolean {
  const isOpen = !CLOSED.includes(row.status) && row.kind === 'personal';
  if (folderId) return row.folderId === folderId && (status !== undefined || isOpen);
  switch (place) {
    case 'newsletters':
      return row.kind === 'newsletter' || row.kind === 'list';
    case 'automatic':
      return row.kind === 'automatic' || row.kind === 'bounce' || row.kind === 'loop';
    case 'spam':
    case 'resolved':
    case 'archived':
      return row.status === place;
    case 'to-approve':
      return row.waitingDraftId !== null;
    case 'unsorted':
      return isOpen && row.folderId === null;
    case 'all':
      return true;
    default:
      return status !== undefined || isOpen;
  }
}

function fits(row: ConversationRow, filters: ListFilters): boolean {
  if (filters.status && row.status !== filters.status) return false;
  if (filters.channel && row.channel !== filters.channel) return false;
  if (filters.assigneeId && row.assigneeId !== filters.assigneeId) return false;
  return filters.unread === undefined || row.unread === (filters.unread === 'true');
}
