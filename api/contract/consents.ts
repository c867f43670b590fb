import { z } from 'zod';
import { OAUTH_PROVIDERS } from '#domain/rules/words.ts';
import { integrationView } from './integrations.ts';
import { byId, nothing, route } from './route.ts';

/** Where providers send people back to; it is registered with them. */
export const CONSENT_CALLBACK = '/oauth/callback';

export const consents = {
  listOAuthProviders: route({
    method: 'get',
    path: '/oauth-providers',
    summary: 'The providers whose mailboxes can be connected without a password',
    role: 'admin',
    reply: z.object({ providers: z.array(z.enum(OAUTH_PROVIDERS)) }),
  }),
  requestConsent: route({
    method: 'post',
    path: '/oauth-consents',
    summary:
      'Begin to connect a mailbox by consent, or to reconnect one; the address to go to is good for half an hour',
    role: 'admin',
    status: 201,
    body: z.object({
      provider: z.enum(OAUTH_PROVIDERS),
      /** Proposed to the person at the provider. */
      address: z.email().max(254).optional(),
      /** The connected mailbox that is to be opened again. */
      integrationId: z.uuid().optional(),
    }),
    reply: z.object({ trialId: z.uuid(), url: z.url() }),
  }),
  answerConsent: route({
    method: 'get',
    path: CONSENT_CALLBACK,
    summary: 'Where a provider sends the browser back to; goes on to the trial of the mailbox',
    role: 'admin',
    query: z.object({
      state: z.string().max(200).optional(),
      code: z.string().max(4_000).optional(),
      iss: z.string().max(500).optional(),
      error: z.string().max(200).optional(),
    }),
    reply: nothing,
  }),
  reconnectMailbox: route({
    method: 'post',
    path: '/integrations/{id}/reconnection',
    summary: 'Open a mailbox again by the consent of a trial that passed; it goes on where it stopped',
    role: 'admin',
    status: 201,
    params: byId,
    body: z.object({ trialId: z.uuid() }),
    reply: integrationView,
  }),
};
