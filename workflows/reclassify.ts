// Sorts again the conversations without a folder, page by page; a person's choice is left alone.
import { continueAsNew, defineSignal, setHandler } from '@temporalio/workflow';
import { RECLASSIFY_AGAIN, type ReclassifyFolderlessInput } from './contract.ts';
import { sortMessage } from './sort-message.ts';
import { database } from './steps.ts';

const PAGES_PER_EXECUTION = 10;

const reclassifyAgain = defineSignal(RECLASSIFY_AGAIN);

export async function reclassifyFolderless({ tenantId, after }: ReclassifyFolderlessInput): Promise<void> {
  let from = after;
  let askedAgain = false;
  setHandler(reclassifyAgain, () => {
    askedAgain = true;
  });
  for (let page = 0; page < PAGES_PER_EXECUTION; page += 1) {
    askedAgain = false;
    const { askModel, next } = await database('Try the rules on a page of conversations').sortFolderlessPage({
      tenantId,
      after: from,
    });
    for (const messageId of askModel) await sortMessage({ tenantId, messageId });
    if (next === null && !askedAgain) return;
    from = askedAgain ? null : next;
  }
  await continueAsNew<typeof reclassifyFolderless>({ tenantId, after: from });
}
