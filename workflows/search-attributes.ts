// The typed search attributes of the runs, and the one call that moves a run to its next stage.
import {
  defineSearchAttributeKey,
  type SearchAttributePair,
  SearchAttributeType,
  TypedSearchAttributes,
} from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { Stage } from './contract.ts';

const KEYWORD = SearchAttributeType.KEYWORD;
const tenantKey = defineSearchAttributeKey('TenantId', KEYWORD);
const channelKey = defineSearchAttributeKey('Channel', KEYWORD);
const stageKey = defineSearchAttributeKey('Stage', KEYWORD);
const conversationKey = defineSearchAttributeKey('ConversationId', KEYWORD);
const folderKey = defineSearchAttributeKey('Folder', KEYWORD);

/** What a run is started with. */
export function firstAttributes(tenantId: string, stage?: Stage): TypedSearchAttributes {
  const pairs: SearchAttributePair[] = [{ key: tenantKey, value: tenantId }];
  if (stage) pairs.push({ key: stageKey, value: stage });
  return new TypedSearchAttributes(pairs);
}

/** Only inside a workflow. One call writes all, because each call is work for the visibility store. */
export function setStage(
  stage: Stage,
  about: { conversationId?: string; folder?: string | null; channel?: string } = {},
): void {
  upsertSearchAttributes([
    { key: stageKey, value: stage },
    ...(about.conversationId ? [{ key: conversationKey, value: about.conversationId }] : []),
    ...(about.folder ? [{ key: folderKey, value: about.folder }] : []),
    ...(about.channel ? [{ key: channelKey, value: about.channel }] : []),
  ]);
}
