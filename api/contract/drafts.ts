import { z } from 'zod';
import { CHANNELS } from '#domain/rules/words.ts';
import { followUpView } from './conversations.ts';
import { replyOptions } from './reply-options.ts';
import { byId, nothing, pageOf, route } from './route.ts';
import { uploadView } from './uploads.ts';

export const drafts = {
  approveDraft: route({
    method: 'post',
    path: '/drafts/{id}/approval',
    summary: 'Send the draft, edited or as it stands; a second agent is told who was faster',
    role: 'agent',
    status: 201,
    params: byId,
    body: replyOptions.extend({
      /** The version the agent read: a text that was written again meanwhile is not sent unread. */
      version: z.int(),
      text: z.string().trim().min(1).max(100_000).nullable().default(null),
    }),
    reply: z.object({ replyId: z.uuid(), notBefore: z.iso.datetime() }),
  }),
  discardDraft: route({
    method: 'post',
    path: '/drafts/{id}/discard',
    summary: 'Throw the draft away; nothing is sent',
    role: 'agent',
    status: 204,
    params: byId,
    reply: nothing,
  }),
  regenerateDraft: route({
    method: 'post',
    path: '/drafts/{id}/regeneration',
    summary: 'Have it written again, with an instruction',
    role: 'agent',
    status: 202,
    params: byId,
    body: z.object({ instruction: z.string().trim().max(2_000) }),
    reply: nothing,
  }),
};

export const replies = {
  cancelReply: route({
    method: 'post',
    path: '/replies/{id}/cancellation',
    summary: 'Take a reply back before it leaves; its files are free for the next one',
    role: 'agent',
    params: byId,
    reply: z.object({ uploads: z.array(uploadView) }),
  }),
  departReply: route({
    method: 'post',
    path: '/replies/{id}/departure',
    summary: 'Send a scheduled reply now',
    role: 'agent',
    status: 204,
    params: byId,
    reply: nothing,
  }),
  judgeReply: route({
    method: 'post',
    path: '/replies/{id}/verdict',
    summary: 'Say what became of a reply whose outcome is unknown, or try a failed one again',
    role: 'agent',
    status: 204,
    params: byId,
    body: z.object({ verdict: z.enum(['it-was-sent', 'send-again', 'give-up']) }),
    reply: nothing,
  }),
  listOutbox: route({
    method: 'get',
    path: '/replies',
    summary: 'Replies on their way, and those that need a person',
    role: 'agent',
    query: z.object({
      state: z.enum(['on-its-way', 'needs-person']).default('needs-person'),
      cursor: z.string().max(200).optional(),
    }),
    reply: pageOf(
      z.object({
        id: z.uuid(),
        conversationId: z.uuid(),
        subject: z.string(),
        channel: z.enum(CHANNELS),
        to: z.string(),
        state: z.string(),
        failure: z.string().nullable(),
        lastResponse: z.string().nullable(),
        attempts: z.int(),
        notBefore: z.iso.datetime(),
        scheduled: z.boolean(),
        createdAt: z.iso.datetime(),
      }),
    ),
  }),
};

export const followUps = {
  listFollowUps: route({
    method: 'get',
    path: '/follow-ups',
    summary: 'What is due, and what is still to come',
    role: 'viewer',
    query: z.object({ state: z.enum(['due', 'armed']).default('due'), cursor: z.string().max(200).optional() }),
    reply: pageOf(followUpView.extend({ subject: z.string(), clientName: z.string().nullable() })),
  }),
  cancelFollowUp: route({
    method: 'post',
    path: '/follow-ups/{id}/cancellation',
    summary: 'Cancel a follow-up, or put a due one away',
    role: 'agent',
    status: 204,
    params: byId,
    reply: nothing,
  }),
};
