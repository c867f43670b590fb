// What agents do with a conversation. Handlers find the thing, tell it what happened, and leave; the rest is the domain's.
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Conversation, holdShownConversation } from '#domain/conversations/conversation.ts';
import { correctKind } from '#domain/conversations/correct-kind.ts';
import { deleteConversation } from '#domain/conversations/delete-conversation.ts';
import { Folder } from '#domain/conversations/folder.ts';
import { Note } from '#domain/conversations/message.ts';
import { setStatus } from '#domain/conversations/set-status.ts';
import { Invalid, NotFound } from '#domain/errors.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startFollowUp } from '#domain/record/run-request.ts';
import { Step } from '#domain/record/step.ts';
import { FollowUp } from '#domain/work/follow-up.ts';
import type { conversations } from '../contract/conversations.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import type { Principal } from '../principal.ts';
import { conversationList } from '../views/conversation-list.ts';
import { conversationViewOf, followUpViewOf, noteViewOf } from '../views/conversation-view.ts';
import { companyUsers } from '../views/users.ts';

export function conversationRoutes(dependencies: ApiDependencies): Handlers<typeof conversations> {
  const { database, temporal, identity } = dependencies;

  /** Finds the conversation, lets `act` change it, and records the change when there was one. */
  function change(
    principal: Principal,
    id: string,
    action: string,
    act: (conversation: Conversation, em: EntityManager) => Promise<Record<string, unknown> | null>,
  ): Promise<void> {
    return database.inTenant(principal.tenantId, async (em) => {
      const conversation = await holdShownConversation(em, id);
      const before = stateOf(conversation);
      const after = await act(conversation, em);
      if (!after) return;
      audit(em, principal.actor, { action, subject: { kind: 'conversation', id }, before, after });
      announce(em, 'conversation.changed', id, {});
    });
  }

  return {
    listConversations: ({ principal, query }) =>
      database.inTenant(principal.tenantId, (em) => conversationList(em, query)),

    getConversation: ({ principal, params }) =>
      database.inTenant(principal.tenantId, (em) => conversationViewOf(em, params.id)),

    listSteps: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        await findConversation(em, params.id);
        const steps = await em.find(
          Step,
          { conversationId: params.id },
          { orderBy: { createdAt: 'asc', id: 'asc' }, limit: 1_000 },
        );
        const runIds = [...new Set(steps.map((step) => step.runId))];
        return {
          steps: steps.map(({ id, runId, messageId, name, outcome, facts, evidence, createdAt, durationMs }) => ({
            id,
            runId,
            messageId: messageId ?? null,
            name,
            outcome,
            facts,
            evidence,
            at: createdAt.toISOString(),
            durationMs,
          })),
          runs: runIds.map((runId) => ({ runId, url: temporal.run(runId) })),
        };
      }),

    readConversation: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const conversation = await findConversation(em, params.id);
        if (conversation.unread === !body.read) return undefined;
        conversation.unread = !body.read;
        announce(em, 'conversation.read', params.id, { read: body.read });
        return undefined;
      }),

    moveConversation: async ({ principal, params, body }) => {
      await change(principal, params.id, 'conversation.moved', async (conversation, em) => {
        if (body.folderId) await findFolder(em, body.folderId);
        conversation.sortInto(body.folderId, 'person');
        return { folderId: body.folderId };
      });
      return undefined;
    },

    changeStatus: async ({ principal, params, body }) => {
      await change(principal, params.id, 'conversation.status_changed', async (conversation, em) => {
        await setStatus(em, conversation, body.status, principal.actor);
        return { status: conversation.shownStatus() };
      });
      return undefined;
    },

    assignConversation: async ({ principal, params, body }) => {
      const users = await companyUsers(identity, principal.tenantId);
      if (body.userId && !users.some((user) => user.id === body.userId)) {
        throw new Invalid('user.not-found', 'This person does not belong to your company: choose somebody who does.');
      }
      await change(principal, params.id, 'conversation.assigned', async (conversation) => {
        conversation.assigneeId = body.userId;
        if (body.userId) conversation.takeUp();
        return { assigneeId: body.userId };
      });
      return undefined;
    },

    addNote: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const conversation = await holdShownConversation(em, params.id);
        const note = em.create(Note, { conversationId: params.id, authorId: principal.userId, text: body.text });
        conversation.takeUp();
        await em.flush();
        audit(em, principal.actor, {
          action: 'note.added',
          subject: { kind: 'note', id: note.id },
          after: { conversationId: params.id },
        });
        announce(em, 'conversation.changed', params.id, {});
        return noteViewOf(note);
      }),

    addFollowUp: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        await holdShownConversation(em, params.id);
        const dueAt = new Date(body.dueAt);
        if (dueAt.getTime() <= Date.now())
          throw new Invalid('follow-up.in-the-past', 'This moment has passed: choose a later one.');
        if (body.mode === 'send' && !body.text.trim())
          throw new Invalid('follow-up.no-text', 'Write what is to be sent.');
        const followUp = em.create(FollowUp, {
          conversationId: params.id,
          mode: body.mode,
          text: body.text,
          dueAt,
          createdById: principal.userId,
        });
        await em.flush();
        audit(em, principal.actor, {
          action: 'follow_up.armed',
          subject: { kind: 'follow-up', id: followUp.id },
          after: { dueAt: body.dueAt },
        });
        announce(em, 'follow_up.armed', params.id, { followUpId: followUp.id });
        startFollowUp(em, principal.tenantId, followUp.id);
        return followUpViewOf(followUp);
      }),

    deleteConversation: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        await deleteConversation(em, params.id, principal.actor);
        return undefined;
      }),

    correctKind: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        await correctKind(em, params.id, body.kind, principal.actor);
        return undefined;
      }),
  };
}

export async function findConversation(em: EntityManager, id: string): Promise<Conversation> {
  const conversation = await em.findOne(Conversation, { id, deletedAt: null });
  if (!conversation) throw new NotFound('conversation.not-found', 'This conversation does not exist.');
  return conversation;
}

async function findFolder(em: EntityManager, id: string): Promise<Folder> {
  const folder = await em.findOne(Folder, { id }, { lockMode: LockMode.PESSIMISTIC_READ });
  if (!folder) throw new NotFound('folder.not-found', 'This folder does not exist any more: choose another one.');
  return folder;
}

function stateOf(conversation: Conversation): Record<string, unknown> {
  return {
    status: conversation.shownStatus(),
    folderId: conversation.folderId ?? null,
    assigneeId: conversation.assigneeId ?? null,
  };
}
