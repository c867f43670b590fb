// Where conversations are sorted, and how a folder answers.
import { defineEntity, p } from '@mikro-orm/core';
import type { RuleFilter as Rule } from '#domain/rules/rule-filter.ts';
import { DEADLINE_ACTIONS, FOLLOW_UP_MODES, REPLY_MODES } from '#domain/rules/words.ts';
import { referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const FolderSchema = defineEntity({
  name: 'Folder',
  properties: {
    ...tenantOwned,
    name: p.string().length(100),
    /** Smaller is tried first: the first folder whose rule matches takes the message. */
    position: p.integer(),
    /** What belongs here, in plain words, for the model; null when only rules sort into it. */
    aiFilter: p.text().nullable(),
    replyMode: p.enum(REPLY_MODES).default('off'),
    prompt: p.text().default(''),
    useKnowledge: p.boolean().default(true),
    signature: p.text().default(''),
    /** How long a draft waits for an agent; null waits for ever. */
    deadlineSeconds: p.integer().nullable(),
    deadlineAction: p.enum(DEADLINE_ACTIONS).default('remind'),
    /** Whom a deadline calls; null calls all who serve the folder. */
    escalateTo: p.uuid().nullable(),
    followUpMode: p.enum(FOLLOW_UP_MODES).default('off'),
    followUpAfterSeconds: p.integer().default(3 * 24 * 3600),
    followUpText: p.text().default(''),
  },
  uniques: [referable, { properties: ['tenantId', 'name'] }],
});

export class Folder extends FolderSchema.class {}
FolderSchema.setClass(Folder);

const RuleFilterSchema = defineEntity({
  name: 'RuleFilter',
  properties: {
    ...tenantOwned,
    folderId: p.uuid(),
    position: p.integer(),
    condition: p.json<Rule>(),
  },
  indexes: [{ properties: ['tenantId', 'folderId'] }],
});

/** One rule of a folder: the folder takes a message when any of its rules matches. */
export class RuleFilter extends RuleFilterSchema.class {}
RuleFilterSchema.setClass(RuleFilter);
