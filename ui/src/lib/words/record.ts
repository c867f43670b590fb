// The audit trail in words: actions, actors, and what changed from what to what.
import { m } from '#paraglide/messages.js';
import type { AuditEventView, ShownStatus } from '../api.ts';
import { cancelReason, kindReason, kindWord } from './codes.ts';
import { moment } from './dates.ts';
import { STATUSES, statusWord } from './status.ts';

const ACTION_WORDS: Record<string, () => string> = {
  'answering.changed': m.did_answering_changed,
  'business_hours.changed': m.did_hours_changed,
  'call.dismissed': m.did_call_dismissed,
  'call.let_in': m.did_call_let_in,
  'article.changed': m.did_article_changed,
  'article.created': m.did_article_created,
  'article.removed': m.did_article_removed,
  'attachment.blocked': m.did_attachment_blocked,
  'attachment.downloaded_anyway': m.did_attachment_downloaded_anyway,
  'attachment.infected': m.did_attachment_infected,
  'conversation.assigned': m.did_assigned,
  'conversation.deleted': m.did_conversation_deleted,
  'conversation.moved': m.did_moved,
  'conversation.prioritised': m.did_prioritised,
  'conversation.reopened': m.did_reopened,
  'conversation.sorted': m.did_sorted,
  'conversation.status_changed': m.did_status_changed,
  'consent.requested': m.did_consent_requested,
  'draft.approved': m.did_draft_approved,
  'draft.discarded': m.did_draft_discarded,
  'draft.escalated': m.did_draft_escalated,
  'draft.regenerated': m.did_draft_regenerated,
  'draft.reminded': m.did_draft_reminded,
  'draft.superseded': m.did_draft_superseded,
  'draft.written': m.did_draft_written,
  'folder.changed': m.did_folder_changed,
  'folder.created': m.did_folder_created,
  'folder.removed': m.did_folder_removed,
  'folder.reordered': m.did_folder_reordered,
  'follow_up.armed': m.did_follow_up_armed,
  'follow_up.cancelled': m.did_follow_up_cancelled,
  'follow_up.done': m.did_follow_up_done,
  'follow_up.fired': m.did_follow_up_fired,
  'integration.changed': m.did_integration_changed,
  'integration.created': m.did_integration_created,
  'integration.lost': m.did_integration_lost,
  'integration.folders_chosen': m.did_integration_folders,
  'mailbox.backfilled': m.did_mailbox_backfilled,
  'mailbox.backfill_stopped': m.did_mailbox_backfill_stopped,
  'integration.reconnected': m.did_integration_reconnected,
  'integration.removed': m.did_integration_removed,
  'integration.secret_rotated': m.did_secret_rotated,
  'mailbox.synced': m.did_mailbox_synced,
  'mailbox.tried': m.did_mailbox_tried,
  'message.corrected': m.did_message_corrected,
  'message.filtered': m.did_message_filtered,
  'note.added': m.did_note_added,
  'receipt.retried': m.did_receipt_retried,
  'reply.bounced': m.did_reply_bounced,
  'reply.cancelled': m.did_reply_cancelled,
  'reply.declared_sent': m.did_reply_declared_sent,
  'reply.given_up': m.did_reply_given_up,
  'reply.sent_again': m.did_reply_sent_again,
  'reply.sent_now': m.did_reply_sent_now,
  'reply.written': m.did_reply_written,
  'sender_rule.removed': m.did_sender_removed,
  'sender_rule.set': m.did_sender_set,
  'tenant.created': m.did_tenant_created,
  'whatsapp_template.added': m.did_template_added,
  'whatsapp_template.changed': m.did_template_changed,
  'whatsapp_template.removed': m.did_template_removed,
};

export const ACTIONS: readonly string[] = Object.keys(ACTION_WORDS);

export function actionWord(action: string): string {
  return ACTION_WORDS[action]?.() ?? action.replaceAll(/[._]/g, ' ');
}

export function actorWord(kind: string): string {
  const words: Record<string, () => string> = {
    person: m.actor_person,
    program: m.actor_program,
    rule: m.actor_rule,
    model: m.actor_model,
    client: m.client,
    system: m.actor_system,
  };
  return words[kind]?.() ?? kind;
}

type Names = { person: (id: string | null) => string | null; folder: (id: string | null) => string | null };
type Change = { name: string; before: string | null; after: string };

/** Ids without a name for people are left out: the line has a link to what they stand for. */
export function changesOf({ before, after }: AuditEventView, names: Names): Change[] {
  const said = Object.entries(after ?? before ?? {});
  return said.flatMap(([key, value]) => {
    const name = NAMES[key]?.();
    if (!name) return [];
    const now = after ? valueWord(key, value, names) : '—';
    const was = before && key in before ? valueWord(key, before[key], names) : null;
    return was === now ? [] : [{ name, before: was, after: now }];
  });
}

const NAMES: Record<string, () => string> = {
  assigneeId: m.assignee,
  automatic: m.automatic_reply,
  changed: m.change,
  channel: m.channel,
  deadlineAction: m.deadline,
  dueAt: m.when,
  folderId: m.folder,
  host: m.server_host,
  kind: m.kind,
  language: m.language,
  name: m.channel_name,
  origin: m.origin,
  reason: m.reason,
  replyMode: m.reply_mode,
  state: m.state,
  status: m.status,
  template: m.template,
  timeZone: m.time_zone,
  title: m.article_title,
  to: m.escalate_to,
  verdict: m.sender_verdict,
};

function valueWord(key: string, value: unknown, names: Names): string {
  if (value === null || value === undefined || value === '') return '—';
  if (Array.isArray(value)) return value.map((field) => FIELDS[String(field)]?.() ?? String(field)).join(', ');
  if (typeof value === 'boolean') return value ? m.yes() : m.no();
  const text = String(value);
  const words: Record<string, () => string | null> = {
    assigneeId: () => names.person(text),
    to: () => names.person(text),
    folderId: () => names.folder(text),
    dueAt: () => moment(text),
    kind: () => kindWord(text),
    reason: () => kindReason(text),
    status: () => (STATUSES.includes(text as ShownStatus) ? statusWord(text as ShownStatus) : null),
    cancelReason: () => cancelReason(text),
    origin: () => (text === 'model' ? m.actor_model() : m.origin_article()),
    verdict: () => (text === 'allow' ? m.allowed() : m.blocked()),
    replyMode: () =>
      ({ off: m.mode_off_short(), validation: m.mode_validation_short(), automatic: m.mode_automatic_short() })[text] ??
      null,
    state: () => STATES[text]?.() ?? null,
    deadlineAction: () => DEADLINES[text]?.() ?? null,
  };
  return words[key]?.() ?? text;
}

const FIELDS: Record<string, () => string> = {
  aiFilter: m.ai_filter,
  automaticPerClientPerDay: m.per_client_per_day,
  automaticPerDay: m.per_day,
  confidenceThreshold: m.threshold,
  deadlineAction: m.deadline_then,
  deadlineSeconds: m.deadline,
  escalateTo: m.escalate_to,
  followUpAfterSeconds: m.follow_up_after,
  followUpMode: m.follow_up,
  followUpText: m.message_to_client,
  modelBaseUrl: m.model_base_url,
  modelEnabled: m.model_enabled,
  modelKey: m.model_key,
  modelName: m.model_name,
  name: m.channel_name,
  prompt: m.company_prompt,
  replyMode: m.reply_mode,
  rules: m.rules,
  signature: m.signature,
  useKnowledge: m.use_knowledge,
};

const STATES: Record<string, () => string> = {
  active: m.channel_active,
  paused: m.channel_paused,
  reconnect: m.channel_reconnect,
  approved: m.sending,
  sent: m.sent,
  failed: m.not_sent,
  unknown: m.maybe_sent,
  cancelled: m.held_back,
};

const DEADLINES: Record<string, () => string> = {
  remind: m.deadline_does_remind,
  escalate: m.deadline_does_escalate,
  send: m.deadline_does_send,
  discard: m.deadline_does_discard,
};
