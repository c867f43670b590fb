// Sorts again the conversations without a folder, page by page; a person's choice is left alone.
import { continueAsNew } from '@temporalio/workflow';
import type { ReclassifyFolderlessInput } from './contract.ts';
import { sortMessage } from './sort-message.ts';
import { database } from './steps.ts';

const PAGES_PER_EXECUTION = 10;

export async function reclassifyFolderless({ tenantId, after }: ReclassifyFolderlessInput): Promise<void> {
  let from = after;
  for (let page = 0; page < PAGES_PER_EXECUTION; page += 1) {
    const { askModel, next } = await database('Try the rules on a page of conversations').sortFolderlessPage({
      tenantId,
      after: from,
    });
    for (const messageId of askModel) await sortMessage({ tenantId, messageId });
    if (next === null) return;
    from = next;
  }
  await continueAsNew<typeof reclassifyFolderless>({ tenantId, after: from });
}
