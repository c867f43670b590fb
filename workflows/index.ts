// The workflow types; the bundle starts here. The names are stored in histories and schedules for ever.
export { applyIntegration } from './apply-integration.ts';
export { backfillMailbox } from './backfill-mailbox.ts';
export { followUp } from './follow-up.ts';
export { keepHouse } from './keep-house.ts';
export { lookUpMailServers } from './look-up-mail-servers.ts';
export { receiveMessage } from './receive-message.ts';
export { reclassifyFolderless } from './reclassify.ts';
export { scanFiles } from './scan-files.ts';
export { sendReply } from './send-reply.ts';
export { syncMailbox } from './sync-mailbox.ts';
export { tellOfLostMailbox } from './tell-of-lost-mailbox.ts';
export { tryMailbox } from './try-mailbox.ts';
export { watchMailbox } from './watch-mailbox.ts';
