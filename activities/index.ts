// What each task queue offers. The names of the functions are activity types: histories keep them for ever.
import { createBackfilling } from './backfilling.ts';
import { createClassifying } from './classifying.ts';
import type { Dependencies } from './dependencies.ts';
import { createDiscovering } from './discovering.ts';
import { createFetchingMedia } from './fetching-media.ts';
import { createFiltering } from './filtering.ts';
import { createFollowingUp } from './following-up.ts';
import { createHousekeeping } from './housekeeping.ts';
import { createMailbox } from './mailbox.ts';
import { ReceiptReader } from './readers/read-receipt.ts';
import { createReceiving } from './receiving.ts';
import { createReclassifying } from './reclassifying.ts';
import { createReplying } from './replying.ts';
import { createReviewing } from './reviewing.ts';
import { createScanning } from './scanning.ts';
import { createScheduling } from './scheduling.ts';
import { createSending } from './sending.ts';
import { createTelling } from './telling.ts';
import { createTrying } from './trying.ts';
import { createWatching } from './watching.ts';

export function createActivities(dependencies: Dependencies) {
  // One for all steps: a mail is parsed once, not once per step.
  const reader = new ReceiptReader(dependencies.database, dependencies.attachments);
  const { judgeMessage, ...classifying } = createClassifying(dependencies);
  const { draftByModel, redraftReply, ...replying } = createReplying(dependencies);
  const { transmitReply, lookUpReply, ...sending } = createSending(dependencies);
  const { fetchNewMail, ...mailbox } = createMailbox(dependencies);
  const { fetchOlderMail, finishBackfill } = createBackfilling(dependencies);
  return {
    /** Short database steps, run where the workflows run. */
    inbox: {
      ...createReceiving(dependencies, reader),
      ...createFiltering(dependencies, reader),
      ...classifying,
      ...replying,
      ...createReviewing(dependencies),
      ...sending,
      ...createFollowingUp(dependencies),
      ...createReclassifying(dependencies),
      ...mailbox,
      finishBackfill,
      ...createHousekeeping(dependencies),
    },
    mailboxes: { fetchNewMail, fetchOlderMail, ...createTrying(dependencies), ...createDiscovering(dependencies) },
    watching: createWatching(dependencies),
    /** The model, SMTP, Vonage, Temporal itself. */
    providers: {
      judgeMessage,
      draftByModel,
      redraftReply,
      transmitReply,
      lookUpReply,
      ...createScheduling(dependencies),
      ...createFetchingMedia(dependencies, reader),
      ...createScanning(dependencies),
      ...createTelling(dependencies),
    },
  };
}

export type Activities = ReturnType<typeof createActivities>;
