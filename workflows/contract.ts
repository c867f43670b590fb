// What the rest of the house knows of the workflows: their types, ids, inputs, signals, queues and search attributes.
// Types and signal names are stored for ever in histories and schedules: rename files, never these strings.
// Payloads carry ids and short codes only; nothing personal stands in a history.

export const TASK_QUEUES = {
  /** Workflows and their short database steps. */
  inbox: 'inbox',
  /** Reading mailboxes: long connections, slow servers. */
  mailboxes: 'mailboxes',
  /** Waiting for a mailbox to have news: connections that last for hours and do nothing. */
  watching: 'watching',
  /** The model, SMTP and every other outside system. */
  providers: 'providers',
} as const;

/** Typed Keyword attributes, for Temporal's UI. */
export const SEARCH_ATTRIBUTES = {
  TenantId: 'Keyword',
  ConversationId: 'Keyword',
  Channel: 'Keyword',
  Folder: 'Keyword',
  Stage: 'Keyword',
} as const;

/** Where a run stands, as the search attribute `Stage`. */
export type Stage = 'receiving' | 'set-aside' | 'duplicate' | 'filtered' | 'no-reply' | 'waiting' | 'sending' | 'done';

export const WORKFLOWS = {
  receiveMessage: 'receiveMessage',
  sendReply: 'sendReply',
  followUp: 'followUp',
  syncMailbox: 'syncMailbox',
  watchMailbox: 'watchMailbox',
  backfillMailbox: 'backfillMailbox',
  reclassifyFolderless: 'reclassifyFolderless',
  tryMailbox: 'tryMailbox',
  lookUpMailServers: 'lookUpMailServers',
  applyIntegration: 'applyIntegration',
  tellOfLostMailbox: 'tellOfLostMailbox',
  scanFiles: 'scanFiles',
  keepHouse: 'keepHouse',
} as const;
export type WorkflowType = keyof typeof WORKFLOWS;

// Ids are paths, tenant first, so that one prefix lists a company's runs.
export const workflowIds = {
  receiveMessage: (tenantId: string, receiptId: string, run = 1) =>
    `tenant/${tenantId}/receipt/${receiptId}${run > 1 ? `/${run}` : ''}`,
  sendReply: (tenantId: string, replyId: string) => `tenant/${tenantId}/reply/${replyId}`,
  followUp: (tenantId: string, followUpId: string) => `tenant/${tenantId}/follow-up/${followUpId}`,
  syncMailbox: (tenantId: string, integrationId: string) => `tenant/${tenantId}/sync/${integrationId}`,
  watchMailbox: (tenantId: string, integrationId: string) => `tenant/${tenantId}/watch/${integrationId}`,
  backfillMailbox: (tenantId: string, syncId: string) => `tenant/${tenantId}/backfill/${syncId}`,
  syncByHand: (tenantId: string, syncId: string) => `tenant/${tenantId}/sync-by-hand/${syncId}`,
  syncSchedule: (tenantId: string, integrationId: string) => `tenant/${tenantId}/sync-schedule/${integrationId}`,
  reclassifyFolderless: (tenantId: string) => `tenant/${tenantId}/reclassify-folderless`,
  trial: (tenantId: string, trialId: string) => `tenant/${tenantId}/trial/${trialId}`,
  applyIntegration: (tenantId: string, integrationId: string, version: string) =>
    `tenant/${tenantId}/integration/${integrationId}/${version}`,
  tellOfLostMailbox: (tenantId: string, integrationId: string, loss: string) =>
    `tenant/${tenantId}/lost-mailbox/${integrationId}/${loss}`,
  scanFiles: (tenantId: string, messageId: string) => `tenant/${tenantId}/scan/${messageId}`,
  keepHouse: () => 'installation/keep-house',
} as const;

export type ReceiveMessageInput = { tenantId: string; receiptId: string };

/** Somebody or something decided the draft this run waits with. */
export type DraftDecided = { draftId: string; decisionId: string };
export const DRAFT_DECIDED = 'draftDecided';

/**
 * For operators and programs that speak to Temporal directly: the run decides the draft as an agent would, through the
 * same row. `by` is a user id when a person stands behind it.
 */
export type DecideDraft = { decision: 'approve' | 'discard' | 'regenerate'; by?: string };
export const DECIDE_DRAFT = 'decideDraft';

export type SendReplyInput = { tenantId: string; replyId: string };
export type SendReplyResult = { state: 'sent' | 'failed' | 'cancelled' };
/** The row has the new state already: look at it again. */
export const REPLY_CHANGED = 'replyChanged';

export type FollowUpInput = { tenantId: string; followUpId: string };
/** The row has the new state or date already: look at it again. */
export const FOLLOW_UP_CHANGED = 'followUpChanged';

export type SyncMailboxInput = { tenantId: string; integrationId: string; syncId?: string };
/** @param losses how often the connection was lost in a row */
export type WatchMailboxInput = { tenantId: string; integrationId: string; losses: number };
export type BackfillMailboxInput = { tenantId: string; integrationId: string; syncId: string };
export type ReclassifyFolderlessInput = { tenantId: string; after: string | null };
/** Rules have changed while it sorts: begin at the first conversation again. */
export const RECLASSIFY_AGAIN = 'reclassifyAgain';
export type TrialInput = { tenantId: string; trialId: string };
export type ApplyIntegrationInput = { tenantId: string; integrationId: string };
export type ScanFilesInput = { tenantId: string; messageId: string };
export type LostMailboxInput = { tenantId: string; integrationId: string };
