// Every table of the application. The identity tables (users, sessions, organisations) are the auth library's own.
import { Conversation } from '#domain/conversations/conversation.ts';
import { DeliveryReceipt } from '#domain/conversations/delivery-receipt.ts';
import { Draft } from '#domain/conversations/draft.ts';
import { Folder, RuleFilter } from '#domain/conversations/folder.ts';
import { Attachment, Fingerprint, Message, Note } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { ThreadKey } from '#domain/conversations/thread.ts';
import { Upload } from '#domain/conversations/upload.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { MailboxCursor } from '#domain/integrations/mailbox-cursor.ts';
import { QuarantinedCall } from '#domain/integrations/quarantined-call.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { SenderRule } from '#domain/integrations/sender-rule.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { WhatsappTemplate } from '#domain/integrations/whatsapp-template.ts';
import { Article } from '#domain/knowledge/article.ts';
import { Client, ContactPoint } from '#domain/people/client.ts';
import { AuditEvent } from '#domain/record/audit-event.ts';
import { Event } from '#domain/record/event.ts';
import { RunRequest } from '#domain/record/run-request.ts';
import { Step } from '#domain/record/step.ts';
import { Credential } from '#domain/secrets/credential.ts';
import { Trial } from '#domain/secrets/trial.ts';
import { AnsweringSettings } from '#domain/tenancy/answering-settings.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import { FollowUp } from '#domain/work/follow-up.ts';

export const ENTITIES = [
  Tenant,
  AnsweringSettings,
  Client,
  ContactPoint,
  Integration,
  MailboxCursor,
  Sync,
  Receipt,
  QuarantinedCall,
  WhatsappTemplate,
  SenderRule,
  Credential,
  Trial,
  Folder,
  RuleFilter,
  Conversation,
  ThreadKey,
  Message,
  Attachment,
  Upload,
  Fingerprint,
  Note,
  Draft,
  Reply,
  DeliveryReceipt,
  Article,
  FollowUp,
  Step,
  AuditEvent,
  Event,
  RunRequest,
] as const;
