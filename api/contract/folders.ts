import { z } from 'zod';
import type { RuleFilter } from '#domain/rules/rule-filter.ts';
import { ruleProblems } from '#domain/rules/rule-problems.ts';
import { DEADLINE_ACTIONS, FOLLOW_UP_MODES, REPLY_MODES } from '#domain/rules/words.ts';
import { byId, nothing, route } from './route.ts';

/** Nested AND / OR / NOT over conditions; the domain's own check says what is wrong, in sentences. */
export const ruleSchema = z
  .unknown()
  .transform((value, context): RuleFilter => {
    for (const message of ruleProblems(value)) context.addIssue({ code: 'custom', message });
    return value as RuleFilter;
  })
  .meta({
    override: {
      type: 'object',
      description: '{all: [rule…]} | {any: [rule…]} | {not: rule} | {field, operator, value, exact?}',
    },
  });

const SECONDS_IN_A_YEAR = 366 * 24 * 3600;

export const folderFields = z.object({
  name: z.string().trim().min(1).max(100),
  aiFilter: z.string().trim().max(2_000).nullable(),
  replyMode: z.enum(REPLY_MODES),
  prompt: z.string().max(20_000),
  useKnowledge: z.boolean(),
  signature: z.string().max(2_000),
  deadlineSeconds: z.int().min(1).max(SECONDS_IN_A_YEAR).nullable(),
  deadlineAction: z.enum(DEADLINE_ACTIONS),
  escalateTo: z.uuid().nullable(),
  followUpMode: z.enum(FOLLOW_UP_MODES),
  followUpAfterSeconds: z.int().min(1).max(SECONDS_IN_A_YEAR),
  followUpText: z.string().max(20_000),
  rules: z.array(ruleSchema).max(50),
});

export const folderView = folderFields
  .extend({ id: z.uuid(), position: z.int(), rules: z.array(z.unknown()), unread: z.int() })
  .meta({ id: 'Folder' });

export const ruleTrialView = z
  .object({
    matched: z.int(),
    tried: z.int(),
    examples: z.array(
      z.object({
        conversationId: z.uuid(),
        subject: z.string(),
        sender: z.string().nullable(),
        evidence: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'RuleTrial' });

export const folders = {
  listFolders: route({
    method: 'get',
    path: '/folders',
    summary: 'Folders in their order, with what is unread in each and beside them',
    role: 'viewer',
    reply: z.object({
      folders: z.array(folderView),
      places: z.object({ inbox: z.int(), unsorted: z.int(), toApprove: z.int(), due: z.int(), needsPerson: z.int() }),
    }),
  }),
  createFolder: route({
    method: 'post',
    path: '/folders',
    summary: 'Make a folder',
    role: 'admin',
    status: 201,
    body: folderFields.partial().required({ name: true }),
    reply: folderView,
  }),
  changeFolder: route({
    method: 'patch',
    path: '/folders/{id}',
    summary: 'Change a folder, its rules or how it answers',
    role: 'admin',
    params: byId,
    body: folderFields.partial(),
    reply: folderView,
  }),
  removeFolder: route({
    method: 'delete',
    path: '/folders/{id}',
    summary: 'Remove a folder; its conversations become unsorted',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
  orderFolders: route({
    method: 'put',
    path: '/folder-order',
    summary: 'The order in which folders are shown and their rules tried',
    role: 'admin',
    status: 204,
    body: z.object({ ids: z.array(z.uuid()).min(1).max(200) }),
    reply: nothing,
  }),
  tryRule: route({
    method: 'post',
    path: '/rule-trials',
    summary: 'What this rule would have matched among the last 500 messages',
    role: 'admin',
    body: z.object({ rule: ruleSchema }),
    reply: ruleTrialView,
  }),
};
