// What an agent does with a conversation: shown at once, sent to the server, taken back when it refuses, and undone by
// the toast. The list and the open conversation are changed together.
import { m } from '#paraglide/messages.js';
import { api, type ConversationRow, type ConversationView, type ShownStatus } from './api.ts';
import type { Desk } from './desk.svelte.ts';
import { refused, undoable } from './toasts.ts';
import { statusWord } from './words/status.ts';

type Row = ConversationRow | ConversationView;
type Change = Partial<Pick<ConversationView, 'status' | 'folderId' | 'assigneeId' | 'unread' | 'sortedBy' | 'kind'>>;

export async function changeStatus(desk: Desk, row: Row, status: ShownStatus): Promise<void> {
  if (row.status === status) return;
  const before = row.status;
  const done = await act(desk, row, { status }, () => api.changeStatus({ params: { id: row.id }, body: { status } }));
  if (!done) return;
  undoable(m.status_changed_to({ status: statusWord(status) }), () => void restoreStatus(desk, row, status, before));
}

export async function move(desk: Desk, row: Row, folderId: string | null): Promise<void> {
  if (row.folderId === folderId) return;
  const before = row.folderId;
  const put = (to: string | null) =>
    act(desk, row, { folderId: to, sortedBy: 'person' }, () =>
      api.moveConversation({ params: { id: row.id }, body: { folderId: to } }),
    );
  if (!(await put(folderId))) return;
  const name = desk.folders.nameOf(folderId);
  undoable(name ? m.moved_to({ folder: name }) : m.moved_out(), () => void put(before));
}

export async function assign(desk: Desk, row: Row, userId: string | null): Promise<void> {
  if (row.assigneeId === userId) return;
  const before = row.assigneeId;
  const put = (to: string | null) =>
    act(desk, row, { assigneeId: to }, () => api.assignConversation({ params: { id: row.id }, body: { userId: to } }));
  if (!(await put(userId))) return;
  const name = desk.isMe(userId) ? m.me_object() : desk.nameOf(userId);
  undoable(name ? m.assigned_to({ name }) : m.assigned_to_nobody(), () => void put(before));
}

export async function setRead(desk: Desk, row: Row, read: boolean): Promise<void> {
  if (row.unread === !read) return;
  if (read) desk.folders.readOne(row.folderId);
  await act(desk, row, { unread: !read }, () => api.readConversation({ params: { id: row.id }, body: { read } }));
}

/** `personal` for "not a newsletter" and "not spam"; the sender counts so from then on. */
export async function correctKind(
  desk: Desk,
  row: Row,
  messageId: string,
  kind: 'personal' | 'newsletter' | 'spam',
): Promise<void> {
  const before = row.kind === 'spam' || row.kind === 'newsletter' ? row.kind : 'personal';
  const put = (to: typeof kind) =>
    act(desk, row, { kind: to }, () => api.correctKind({ params: { id: messageId }, body: { kind: to } }));
  if (!(await put(kind))) return;
  desk.conversation(row.id).refreshSoon();
  const words = { personal: m.corrected_personal, newsletter: m.corrected_newsletter, spam: m.corrected_spam };
  undoable(words[kind](), () => void put(before));
}

/** @returns whether it is gone */
export async function deleteConversation(desk: Desk, id: string): Promise<boolean> {
  try {
    await api.deleteConversation({ params: { id } });
    desk.list?.remove(id);
    return true;
  } catch (error) {
    refused(error);
    return false;
  }
}

/** @returns whether the server agreed */
async function act(desk: Desk, row: Row, change: Change, send: () => Promise<unknown>): Promise<boolean> {
  const shown = desk.conversation(row.id);
  const current: Row = shown.view ?? row;
  const before = Object.fromEntries(Object.keys(change).map((name) => [name, current[name as keyof Change]]));
  const show = (values: Change) => {
    shown.patch(values);
    desk.list?.patch(row.id, values);
  };
  show(change);
  try {
    await send();
    return true;
  } catch (error) {
    show(before);
    refused(error);
    return false;
  }
}

// The server does not lead from every status to every other: spam opens as new, closed ones open in progress.
async function restoreStatus(desk: Desk, row: Row, from: ShownStatus, to: ShownStatus): Promise<void> {
  const isClosed = from === 'resolved' || from === 'archived';
  const way: ShownStatus[] = [
    ...(from === 'spam' && to !== 'archived' ? (['new'] as const) : []),
    ...(isClosed && (to === 'new' || to === 'urgent') ? (['in_progress'] as const) : []),
    to,
  ];
  const open = way.filter((status, index) => !(isClosed && status === 'new') && way.indexOf(status) === index);
  await act(desk, row, { status: open.at(-1) ?? to }, async () => {
    for (const status of open) await api.changeStatus({ params: { id: row.id }, body: { status } });
  });
}
