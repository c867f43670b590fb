// Every table as the ORM generated it from the entities, each with its row-level security policy.
import { Migration } from '@mikro-orm/migrations';
import { CURRENT_TENANT } from '../tenant-locks.ts';

export class Tables extends Migration {
  override up(): void {
    this.addSql(`
      create table "answering_settings" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "prompt" text not null default '',
        "model_base_url" varchar(500) not null default 'https://api.openai.com/v1',
        "model_name" varchar(100) not null default 'gpt-5-mini',
        "model_enabled" boolean not null default false,
        "confidence_threshold" real not null default 0.6,
        "automatic_per_client_per_day" int not null default 3,
        "automatic_per_day" int not null default 500,
        primary key ("id")
      );
      alter table "answering_settings" add constraint "answering_settings_tenant_id_unique" unique ("tenant_id");

      create table "article" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "title" varchar(300) not null,
        "text" text not null,
        "language" text not null,
        "updated_at" timestamptz(3) not null,
        primary key ("id")
      );
      create index "article_tenant_id_index" on "article" ("tenant_id");
      alter table "article" add constraint "article_language_check" check ("language" in ('fr', 'en'));

      create table "attachment" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "message_id" uuid not null,
        "name" varchar(255) not null,
        "type" varchar(120) not null,
        "size" int not null,
        "sha256" varchar(64) not null,
        "content_id" varchar(255) null,
        "inline" boolean not null default false,
        primary key ("id")
      );
      create index "attachment_tenant_id_message_id_index" on "attachment" ("tenant_id", "message_id");

      create table "audit_event" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "actor_kind" text not null,
        "actor_id" uuid null,
        "action" varchar(60) not null,
        "subject_kind" varchar(40) not null,
        "subject_id" uuid not null,
        "before" jsonb null,
        "after" jsonb null,
        "ip" varchar(64) null,
        "user_agent" varchar(300) null,
        primary key ("id")
      );
      create index "audit_event_newest" on "audit_event" ("tenant_id", "created_at" desc, "id" desc);
      create index "audit_event_tenant_id_subject_id_index" on "audit_event" ("tenant_id", "subject_id");
      alter table "audit_event" add constraint "audit_event_actor_kind_check" check ("actor_kind" in ('person', 'program', 'rule', 'model', 'client', 'system'));

      create table "client" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "name" varchar(300) null,
        "language" varchar(8) null,
        "attributes" jsonb not null default '{}',
        primary key ("id")
      );
      alter table "client" add constraint "client_tenant_id_id_unique" unique ("tenant_id", "id");

      create table "contact_point" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "client_id" uuid not null,
        "kind" text not null,
        "value" varchar(320) not null,
        primary key ("id")
      );
      create index "contact_point_tenant_id_client_id_index" on "contact_point" ("tenant_id", "client_id");
      alter table "contact_point" add constraint "contact_point_tenant_id_kind_value_unique" unique ("tenant_id", "kind", "value");
      alter table "contact_point" add constraint "contact_point_kind_check" check ("kind" in ('email', 'phone', 'handle'));

      create table "conversation" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "client_id" uuid not null,
        "integration_id" uuid not null,
        "channel" text not null,
        "subject" text not null,
        "preview" varchar(200) not null,
        "status" text not null default 'new',
        "priority" text not null default 'normal',
        "folder_id" uuid null,
        "sorted_by" text null,
        "assignee_id" uuid null,
        "unread" boolean not null default true,
        "kind" varchar(20) not null default 'personal',
        "intent" varchar(30) null,
        "language" varchar(8) null,
        "last_message_at" timestamptz(3) not null,
        "last_inbound_at" timestamptz(3) null,
        "last_outbound_at" timestamptz(3) null,
        "message_count" int not null default 0,
        "waiting_draft_id" uuid null,
        "judged_by" varchar(64) null,
        primary key ("id")
      );
      create index "conversation_newest" on "conversation" ("tenant_id", "last_message_at" desc, "id" desc);
      create index "conversation_folder_newest" on "conversation" ("tenant_id", "folder_id", "last_message_at" desc, "id" desc);
      create index "conversation_tenant_id_client_id_index" on "conversation" ("tenant_id", "client_id");
      alter table "conversation" add constraint "conversation_tenant_id_id_unique" unique ("tenant_id", "id");
      alter table "conversation" add constraint "conversation_channel_check" check ("channel" in ('email', 'sms', 'whatsapp', 'webhook'));
      alter table "conversation" add constraint "conversation_status_check" check ("status" in ('new', 'in_progress', 'resolved', 'archived', 'spam'));
      alter table "conversation" add constraint "conversation_priority_check" check ("priority" in ('normal', 'urgent'));
      alter table "conversation" add constraint "conversation_sorted_by_check" check ("sorted_by" in ('rule', 'model', 'person'));

      create table "credential" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "owner_id" uuid not null,
        "name" varchar(40) not null,
        "sealed" text not null,
        "expires_at" timestamptz(3) null,
        primary key ("id")
      );
      alter table "credential" add constraint "credential_tenant_id_owner_id_name_unique" unique ("tenant_id", "owner_id", "name");

      create table "draft" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "conversation_id" uuid not null,
        "message_id" uuid not null,
        "folder_id" uuid null,
        "run_id" varchar(200) not null,
        "origin" text not null,
        "state" text not null default 'waiting',
        "text" text not null,
        "version" int not null default 1,
        "article_ids" jsonb not null,
        "caution" varchar(60) null,
        "instruction" text null,
        "deadline_at" timestamptz(3) null,
        "deadline_action" text null,
        "reminded_at" timestamptz(3) null,
        "escalated_to" uuid null,
        "decision_id" uuid null,
        "decision" text null,
        "decided_by_kind" text null,
        "decided_by" uuid null,
        "decided_at" timestamptz(3) null,
        "decision_heard_at" timestamptz(3) null,
        "reply_id" uuid null,
        primary key ("id")
      );
      create index "draft_tenant_id_conversation_id_index" on "draft" ("tenant_id", "conversation_id");
      create unique index "draft_one_waiting" on "draft" ("tenant_id", "conversation_id") where "state" in ('waiting', 'regenerating');
      alter table "draft" add constraint "draft_tenant_id_id_unique" unique ("tenant_id", "id");
      alter table "draft" add constraint "draft_origin_check" check ("origin" in ('model', 'article'));
      alter table "draft" add constraint "draft_state_check" check ("state" in ('waiting', 'approved', 'discarded', 'regenerating', 'superseded'));
      alter table "draft" add constraint "draft_deadline_action_check" check ("deadline_action" in ('remind', 'escalate', 'send', 'discard'));
      alter table "draft" add constraint "draft_decision_check" check ("decision" in ('approve', 'discard', 'regenerate', 'supersede'));
      alter table "draft" add constraint "draft_decided_by_kind_check" check ("decided_by_kind" in ('person', 'program', 'rule', 'model', 'client', 'system'));

      create table "event" (
        "id" bigserial primary key,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "name" varchar(60) not null,
        "conversation_id" uuid null,
        "details" jsonb not null
      );
      create index "event_tenant_id_id_index" on "event" ("tenant_id", "id");

      create table "fingerprint" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "digest" varchar(64) not null,
        "message_id" uuid not null,
        primary key ("id")
      );
      alter table "fingerprint" add constraint "fingerprint_tenant_id_digest_unique" unique ("tenant_id", "digest");

      create table "folder" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "name" varchar(100) not null,
        "position" int not null,
        "ai_filter" text null,
        "reply_mode" text not null default 'off',
        "prompt" text not null default '',
        "use_knowledge" boolean not null default true,
        "signature" text not null default '',
        "deadline_seconds" int null,
        "deadline_action" text not null default 'remind',
        "escalate_to" uuid null,
        "follow_up_mode" text not null default 'off',
        "follow_up_after_seconds" int not null default 259200,
        "follow_up_text" text not null default '',
        primary key ("id")
      );
      alter table "folder" add constraint "folder_tenant_id_id_unique" unique ("tenant_id", "id");
      alter table "folder" add constraint "folder_tenant_id_name_unique" unique ("tenant_id", "name");
      alter table "folder" add constraint "folder_reply_mode_check" check ("reply_mode" in ('off', 'automatic', 'validation'));
      alter table "folder" add constraint "folder_deadline_action_check" check ("deadline_action" in ('remind', 'escalate', 'send', 'discard'));
      alter table "folder" add constraint "folder_follow_up_mode_check" check ("follow_up_mode" in ('off', 'remind', 'send'));

      create table "follow_up" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "conversation_id" uuid not null,
        "reply_id" uuid null,
        "mode" text not null,
        "text" text not null default '',
        "due_at" timestamptz(3) not null,
        "state" text not null default 'armed',
        "settled_at" timestamptz(3) null,
        "cancel_reason" varchar(60) null,
        "sent_reply_id" uuid null,
        "done_at" timestamptz(3) null,
        "created_by_id" uuid null,
        primary key ("id")
      );
      create index "follow_up_tenant_id_conversation_id_index" on "follow_up" ("tenant_id", "conversation_id");
      create index "follow_up_tenant_id_state_due_at_index" on "follow_up" ("tenant_id", "state", "due_at");
      create unique index "follow_up_one_per_reply" on "follow_up" ("tenant_id", "reply_id") where "reply_id" is not null;
      alter table "follow_up" add constraint "follow_up_mode_check" check ("mode" in ('remind', 'send'));
      alter table "follow_up" add constraint "follow_up_state_check" check ("state" in ('armed', 'fired', 'cancelled'));

      create table "integration" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "channel" text not null,
        "name" varchar(200) not null,
        "address" varchar(320) not null,
        "state" text not null default 'active',
        "settings" jsonb not null,
        "last_success_at" timestamptz(3) null,
        "last_error" text null,
        "last_error_at" timestamptz(3) null,
        "syncing_by" uuid null,
        "syncing_until" timestamptz(3) null,
        "removed_at" timestamptz(3) null,
        primary key ("id")
      );
      alter table "integration" add constraint "integration_tenant_id_id_unique" unique ("tenant_id", "id");
      create unique index "integration_address_unique" on "integration" ("tenant_id", "channel", "address") where "removed_at" is null;
      alter table "integration" add constraint "integration_channel_check" check ("channel" in ('email', 'sms', 'whatsapp', 'webhook'));
      alter table "integration" add constraint "integration_state_check" check ("state" in ('active', 'paused', 'reconnect'));

      create table "mailbox_cursor" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "integration_id" uuid not null,
        "path" varchar(500) not null,
        "uid_validity" bigint not null,
        "last_uid" bigint not null,
        "checked_at" timestamptz(3) not null,
        primary key ("id")
      );
      alter table "mailbox_cursor" add constraint "mailbox_cursor_tenant_id_integration_id_path_unique" unique ("tenant_id", "integration_id", "path");

      create table "message" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "conversation_id" uuid not null,
        "direction" text not null,
        "channel" text not null,
        "integration_id" uuid not null,
        "receipt_id" uuid null,
        "run_id" varchar(200) not null,
        "external_id" text null,
        "in_reply_to" text null,
        "references" jsonb not null,
        "sender" jsonb not null,
        "reply_to" varchar(320) null,
        "recipients" jsonb not null,
        "cc" jsonb not null,
        "subject" text not null,
        "text" text not null,
        "new_text" text not null,
        "html" text null,
        "kind" varchar(20) null,
        "kind_reason" varchar(60) null,
        "auto_reply_obstacle" varchar(60) null,
        "from_backfill" boolean not null default false,
        "language" varchar(8) null,
        "intent" varchar(30) null,
        "author_id" uuid null,
        "sent_at" timestamptz(3) not null,
        primary key ("id")
      );
      create index "message_tenant_id_conversation_id_sent_at_index" on "message" ("tenant_id", "conversation_id", "sent_at");
      create index "message_tenant_id_created_at_index" on "message" ("tenant_id", "created_at");
      alter table "message" add constraint "message_tenant_id_id_unique" unique ("tenant_id", "id");
      alter table "message" add constraint "message_direction_check" check ("direction" in ('inbound', 'outbound'));
      alter table "message" add constraint "message_channel_check" check ("channel" in ('email', 'sms', 'whatsapp', 'webhook'));

      create table "note" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "conversation_id" uuid not null,
        "author_id" uuid not null,
        "text" text not null,
        primary key ("id")
      );
      create index "note_tenant_id_conversation_id_index" on "note" ("tenant_id", "conversation_id");

      create table "receipt" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "integration_id" uuid not null,
        "sync_id" uuid null,
        "source_id" varchar(700) not null,
        "format" text not null,
        "raw" bytea null,
        "origin" jsonb not null,
        "state" text not null default 'kept',
        "outcome" text null,
        "problem" text null,
        "message_id" uuid null,
        "runs" int not null default 1,
        "expires_at" timestamptz(3) not null,
        primary key ("id")
      );
      create index "receipt_tenant_id_sync_id_index" on "receipt" ("tenant_id", "sync_id");
      create index "receipt_set_aside" on "receipt" ("tenant_id", "created_at") where "state" = 'set_aside';
      create index "receipt_expiry" on "receipt" ("expires_at") where "raw" is not null;
      alter table "receipt" add constraint "receipt_tenant_id_id_unique" unique ("tenant_id", "id");
      alter table "receipt" add constraint "receipt_tenant_id_integration_id_source_id_unique" unique ("tenant_id", "integration_id", "source_id");
      alter table "receipt" add constraint "receipt_format_check" check ("format" in ('email', 'sms', 'whatsapp', 'custom'));
      alter table "receipt" add constraint "receipt_state_check" check ("state" in ('kept', 'done', 'set_aside'));
      alter table "receipt" add constraint "receipt_outcome_check" check ("outcome" in ('new', 'duplicate', 'filtered'));

      create table "reply" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "conversation_id" uuid not null,
        "message_id" uuid not null,
        "draft_id" uuid null,
        "integration_id" uuid null,
        "state" text not null default 'approved',
        "message_id_header" varchar(255) not null,
        "automatic" boolean not null default false,
        "author_kind" text not null,
        "author_id" uuid null,
        "not_before" timestamptz(3) not null,
        "attempt_token" uuid null,
        "attempts" int not null default 0,
        "handed_over_at" timestamptz(3) null,
        "sent_at" timestamptz(3) null,
        "last_response" text null,
        "failure" varchar(60) null,
        primary key ("id")
      );
      create index "reply_tenant_id_conversation_id_index" on "reply" ("tenant_id", "conversation_id");
      create index "reply_needs_person" on "reply" ("tenant_id", "created_at") where "state" in ('unknown', 'failed');
      alter table "reply" add constraint "reply_tenant_id_id_unique" unique ("tenant_id", "id");
      alter table "reply" add constraint "reply_tenant_id_message_id_unique" unique ("tenant_id", "message_id");
      create unique index "reply_one_per_draft" on "reply" ("tenant_id", "draft_id") where "draft_id" is not null;
      alter table "reply" add constraint "reply_state_check" check ("state" in ('approved', 'sending', 'sent', 'unknown', 'failed', 'cancelled'));
      alter table "reply" add constraint "reply_author_kind_check" check ("author_kind" in ('person', 'program', 'rule', 'model', 'client', 'system'));

      create table "rule_filter" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "folder_id" uuid not null,
        "position" int not null,
        "condition" jsonb not null,
        primary key ("id")
      );
      create index "rule_filter_tenant_id_folder_id_index" on "rule_filter" ("tenant_id", "folder_id");

      create table "run_request" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "kind" text not null,
        "name" varchar(60) not null,
        "workflow_id" varchar(200) not null,
        "input" jsonb not null,
        "waits_until" timestamptz(3) null,
        "attempts" int not null default 0,
        "last_error" text null,
        primary key ("id")
      );
      alter table "run_request" add constraint "run_request_kind_check" check ("kind" in ('start', 'signal'));

      create table "sender_rule" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "pattern" varchar(320) not null,
        "verdict" text not null,
        "created_by_id" uuid null,
        primary key ("id")
      );
      alter table "sender_rule" add constraint "sender_rule_tenant_id_pattern_unique" unique ("tenant_id", "pattern");
      alter table "sender_rule" add constraint "sender_rule_verdict_check" check ("verdict" in ('allow', 'block'));

      create table "step" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "run_id" varchar(200) not null,
        "execution_id" varchar(60) not null,
        "activity_id" varchar(60) not null,
        "receipt_id" uuid null,
        "conversation_id" uuid null,
        "message_id" uuid null,
        "name" varchar(40) not null,
        "outcome" varchar(60) not null,
        "facts" jsonb not null,
        "evidence" jsonb not null,
        "duration_ms" int not null,
        primary key ("id")
      );
      create index "step_tenant_id_conversation_id_index" on "step" ("tenant_id", "conversation_id");
      alter table "step" add constraint "step_tenant_id_execution_id_activity_id_unique" unique ("tenant_id", "execution_id", "activity_id");

      create table "sync" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "integration_id" uuid not null,
        "trigger" text not null,
        "state" text not null default 'running',
        "seen" int not null default 0,
        "kept" int not null default 0,
        "remaining" int not null default 0,
        "error" text null,
        "finished_at" timestamptz(3) null,
        primary key ("id")
      );
      create index "sync_tenant_id_integration_id_created_at_index" on "sync" ("tenant_id", "integration_id", "created_at");
      alter table "sync" add constraint "sync_tenant_id_id_unique" unique ("tenant_id", "id");
      alter table "sync" add constraint "sync_trigger_check" check ("trigger" in ('schedule', 'person'));
      alter table "sync" add constraint "sync_state_check" check ("state" in ('running', 'done', 'failed', 'cancelled'));

      create table "tenant" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "name" varchar(200) not null,
        "locale" text not null default 'fr',
        "phone_region" varchar(2) not null default 'FR',
        "business_hours" jsonb not null,
        primary key ("id")
      );
      alter table "tenant" add constraint "tenant_locale_check" check ("locale" in ('fr', 'en'));

      create table "thread_key" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "key" varchar(300) not null,
        "conversation_id" uuid not null,
        primary key ("id")
      );
      create index "thread_key_tenant_id_conversation_id_index" on "thread_key" ("tenant_id", "conversation_id");
      alter table "thread_key" add constraint "thread_key_tenant_id_key_unique" unique ("tenant_id", "key");

      create table "trial" (
        "id" uuid not null,
        "tenant_id" uuid not null,
        "created_at" timestamptz(3) not null,
        "kind" text not null,
        "state" text not null default 'running',
        "sealed_input" text not null,
        "sealed_result" text null,
        "expires_at" timestamptz(3) not null,
        primary key ("id")
      );
      create index "trial_tenant_id_expires_at_index" on "trial" ("tenant_id", "expires_at");
      alter table "trial" add constraint "trial_kind_check" check ("kind" in ('mailbox'));
      alter table "trial" add constraint "trial_state_check" check ("state" in ('running', 'passed', 'failed'));

      alter table "answering_settings" enable row level security;
      create policy "tenant_isolation" on "answering_settings" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "article" enable row level security;
      create policy "tenant_isolation" on "article" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "attachment" enable row level security;
      create policy "tenant_isolation" on "attachment" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "audit_event" enable row level security;
      create policy "tenant_isolation" on "audit_event" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "client" enable row level security;
      create policy "tenant_isolation" on "client" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "contact_point" enable row level security;
      create policy "tenant_isolation" on "contact_point" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "conversation" enable row level security;
      create policy "tenant_isolation" on "conversation" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "credential" enable row level security;
      create policy "tenant_isolation" on "credential" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "draft" enable row level security;
      create policy "tenant_isolation" on "draft" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "event" enable row level security;
      create policy "tenant_isolation" on "event" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "fingerprint" enable row level security;
      create policy "tenant_isolation" on "fingerprint" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "folder" enable row level security;
      create policy "tenant_isolation" on "folder" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "follow_up" enable row level security;
      create policy "tenant_isolation" on "follow_up" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "integration" enable row level security;
      create policy "tenant_isolation" on "integration" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "mailbox_cursor" enable row level security;
      create policy "tenant_isolation" on "mailbox_cursor" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "message" enable row level security;
      create policy "tenant_isolation" on "message" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "note" enable row level security;
      create policy "tenant_isolation" on "note" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "receipt" enable row level security;
      create policy "tenant_isolation" on "receipt" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "reply" enable row level security;
      create policy "tenant_isolation" on "reply" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "rule_filter" enable row level security;
      create policy "tenant_isolation" on "rule_filter" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "run_request" enable row level security;
      create policy "tenant_isolation" on "run_request" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "sender_rule" enable row level security;
      create policy "tenant_isolation" on "sender_rule" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "step" enable row level security;
      create policy "tenant_isolation" on "step" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "sync" enable row level security;
      create policy "tenant_isolation" on "sync" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "tenant" enable row level security;
      create policy "tenant_isolation" on "tenant" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "thread_key" enable row level security;
      create policy "tenant_isolation" on "thread_key" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
      alter table "trial" enable row level security;
      create policy "tenant_isolation" on "trial" using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT});
    `);
  }
}
