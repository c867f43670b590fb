// Everything a person may do with the open conversation, once: for the shortcuts and for the palette.
import { assign, changeStatus, setRead } from '#lib/acts.ts';
import type { ConversationView } from '#lib/api.ts';
import type { Desk } from '#lib/desk.svelte.ts';
import type { Deed, Panel } from '#lib/shell.svelte.ts';
import { m } from '#paraglide/messages.js';
import type { ThreadScreen } from './thread-screen.svelte.ts';

export function deedsOf(
  desk: Desk,
  view: ConversationView,
  screen: ThreadScreen,
  show: (panel: Panel) => void,
  leave: () => void,
): Deed[] {
  const looking: Deed[] = [
    { id: 'client', label: m.show_client(), keys: 'c', run: () => show('client') },
    { id: 'why', label: m.why_here(), keys: 'w', run: () => show('why') },
  ];
  if (!desk.may('agent')) return looking;
  const canResolve = view.status !== 'resolved' && view.allowedStatuses.includes('resolved');
  const canBeUrgent = view.allowedStatuses.includes('urgent');
  const unurgent = view.progress === 'new' ? 'new' : 'in_progress';
  return [
    ...(view.draft?.state === 'waiting'
      ? [
          { id: 'approve', label: m.act_approve(), keys: 'a', run: () => void screen.approve(desk) },
          { id: 'edit', label: m.act_edit_draft(), keys: 'e', run: () => screen.open('draft') },
        ]
      : []),
    { id: 'reply', label: m.act_reply(), keys: 'r', run: () => screen.open('reply') },
    { id: 'note', label: m.act_note(), keys: 'n', run: () => screen.open('note') },
    ...(canResolve
      ? [{ id: 'resolve', label: m.act_resolve(), keys: 'd', run: () => void changeStatus(desk, view, 'resolved') }]
      : []),
    { id: 'status', label: m.act_status(), keys: 's', run: () => (screen.isStatusOpen = true) },
    { id: 'move', label: m.act_move(), keys: 'm', run: () => (screen.isMoveOpen = true) },
    { id: 'assign', label: m.act_assign(), keys: 't', run: () => (screen.isAssignOpen = true) },
    ...(desk.isMe(view.assigneeId)
      ? []
      : [{ id: 'take', label: m.act_take(), keys: 'i', run: () => void assign(desk, view, desk.me.user.id) }]),
    { id: 'follow-up', label: m.act_follow_up(), keys: 'f', run: () => (screen.isFollowUpOpen = true) },
    ...(canBeUrgent
      ? [
          {
            id: 'urgent',
            label: m.act_urgent(),
            keys: '[Shift]+!',
            run: () => void changeStatus(desk, view, view.status === 'urgent' ? unurgent : 'urgent'),
          },
        ]
      : []),
    {
      id: 'unread',
      label: m.act_mark_unread(),
      keys: 'u',
      run: () => {
        leave();
        void setRead(desk, view, false);
      },
    },
    ...(desk.may('admin') ? [{ id: 'delete', label: m.act_delete(), run: () => screen.askToDelete() }] : []),
    ...looking,
  ];
}
