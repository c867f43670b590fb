// The whole API in one value: the server mounts it, the screens call it, the OpenAPI document is made from it.
import { answers } from './answers.ts';
import { businessHours } from './business-hours.ts';
import { consents } from './consents.ts';
import { conversations } from './conversations.ts';
import { drafts, followUps, replies } from './drafts.ts';
import { folders } from './folders.ts';
import { integrations } from './integrations.ts';
import { mailboxes } from './mailboxes.ts';
import { numbers } from './numbers.ts';
import { answering, knowledge, record, senderRules, session } from './settings.ts';
import { uploads } from './uploads.ts';
import { whatsappTemplates } from './whatsapp-templates.ts';

export const contract = {
  ...session,
  ...conversations,
  ...answers,
  ...drafts,
  ...replies,
  ...uploads,
  ...followUps,
  ...folders,
  ...integrations,
  ...consents,
  ...mailboxes,
  ...numbers,
  ...whatsappTemplates,
  ...knowledge,
  ...answering,
  ...senderRules,
  ...businessHours,
  ...record,
};

export type RelaisContract = typeof contract;
