// The typed client of the API, and the only place where the screens meet its contract.

import { routes } from 'virtual:routes';
import { type ApiClient, createClient, RefusedByApi } from '../../../api/contract/client.ts';
import type { RelaisContract } from '../../../api/contract/contract.ts';
import type { Answer, Call } from '../../../api/contract/route.ts';

export { RefusedByApi };
export type Api = RelaisContract;
/** What a route answers, and what it is called with: `Reply<'getMe'>`. */
export type Reply<Name extends keyof Api> = Answer<Api[Name]>;
export type Asked<Name extends keyof Api> = Call<Api[Name]>;

export type ConversationRow = Reply<'listConversations'>['items'][number];
export type ConversationView = Reply<'getConversation'>;
export type MessageView = ConversationView['messages'][number];
export type AttachmentView = MessageView['attachments'][number];
export type DraftView = NonNullable<ConversationView['draft']>;
export type UploadView = Reply<'keepUpload'>;
export type NoteView = ConversationView['notes'][number];
export type FollowUpView = ConversationView['followUps'][number];
export type ReplyView = NonNullable<MessageView['reply']>;
export type StepView = Reply<'listSteps'>['steps'][number];
export type FolderView = Reply<'listFolders'>['folders'][number];
export type PlaceCounts = Reply<'listFolders'>['places'];
export type IntegrationView = Reply<'listIntegrations'>['integrations'][number];
export type MailboxCounts = Reply<'countMailbox'>;
export type NumberView = NonNullable<IntegrationView['number']>;
export type WhatsappTemplate = Reply<'addWhatsappTemplate'>;
export type QuarantinedCall = Reply<'listQuarantine'>['items'][number];
export type SyncView = Reply<'getSync'>;
export type MailboxTrial = Reply<'getMailboxTrial'>;
export type OAuthProvider = Reply<'listOAuthProviders'>['providers'][number];
export type MailServer = Reply<'findMailServers'>['imap'];
export type ArticleView = Reply<'listArticles'>['articles'][number];
export type AnsweringView = Reply<'getAnswering'>;
export type BusinessHours = Reply<'getBusinessHours'>;
export type SenderRuleView = Reply<'listSenderRules'>['rules'][number];
export type AuditEventView = Reply<'listAuditEvents'>['items'][number];
export type OutboxItem = Reply<'listOutbox'>['items'][number];
export type DueFollowUp = Reply<'listFollowUps'>['items'][number];
export type Person = Reply<'listUsers'>['users'][number];
export type Me = Reply<'getMe'>;
export type ShownStatus = ConversationRow['status'];
export type Channel = ConversationRow['channel'];
export type Filters = NonNullable<NonNullable<Asked<'listConversations'>>['query']>;

export const api: ApiClient<RelaisContract> = createClient(routes as unknown as RelaisContract, {
  fetch: watchedFetch,
});

let whenSignedOut = (): void => {};

/** What to do when the session ends in the middle of work. */
export function onSignedOut(act: () => void): void {
  whenSignedOut = act;
}

async function watchedFetch(...request: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...request);
  if (response.status === 401) whenSignedOut();
  return response;
}

export type SignInResult = 'signed-in' | 'wrong' | 'too-often' | 'unreachable';

export async function signIn(email: string, password: string): Promise<SignInResult> {
  const response = await post('/inbox/auth/sign-in/email', { email, password });
  if (!response) return 'unreachable';
  if (response.ok) return 'signed-in';
  if (response.status === 429) return 'too-often';
  return response.status < 500 ? 'wrong' : 'unreachable';
}

export async function signOut(): Promise<void> {
  await post('/inbox/auth/sign-out', {});
}

function post(path: string, body: unknown): Promise<Response | null> {
  const headers = { 'content-type': 'application/json' };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => null);
}
