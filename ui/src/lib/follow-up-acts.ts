// Promises kept later: making one, and putting one away.
import { m } from '#paraglide/messages.js';
import { api, type FollowUpView } from './api.ts';
import type { OpenConversation } from './open-conversation.svelte.ts';
import { refused, said, undoable } from './toasts.ts';

/** Cancels one that is armed, puts away one that is due. An armed one can be set again as it was. */
export async function cancelFollowUp(conversation: OpenConversation | null, followUp: FollowUpView): Promise<boolean> {
  try {
    await api.cancelFollowUp({ params: { id: followUp.id } });
    if (followUp.state === 'fired') said(m.follow_up_put_away());
    else undoable(m.follow_up_cancelled(), () => void armAgain(conversation, followUp));
    return true;
  } catch (error) {
    refused(error);
    return false;
  } finally {
    conversation?.refreshSoon();
  }
}

async function armAgain(conversation: OpenConversation | null, followUp: FollowUpView): Promise<void> {
  const { mode, dueAt, text } = followUp;
  try {
    await api.addFollowUp({ params: { id: followUp.conversationId }, body: { mode, dueAt, text } });
  } catch (error) {
    refused(error);
  } finally {
    conversation?.refreshSoon();
  }
}
