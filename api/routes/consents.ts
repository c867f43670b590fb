// Mailboxes that are opened by consent at Google or Microsoft. The API builds the address to go to and takes the answer;
// the exchange of it for tokens is an activity's work.
import { timingSafeEqual } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict, NotFound } from '#domain/errors.ts';
import { keepMailboxSecret } from '#domain/integrations/keep-mailbox-secret.ts';
import { type ConsentedMailbox, isConsented, type MailboxTrialInput } from '#domain/integrations/mailbox-trial.ts';
import { authorizationUrl, newConsentSecrets } from '#domain/integrations/oauth-provider.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { audit } from '#domain/record/audit-event.ts';
import { startApplyIntegration, startMailboxTrial, startSync } from '#domain/record/run-request.ts';
import { OAUTH_PROVIDERS } from '#domain/rules/words.ts';
import { openTrial, Trial } from '#domain/secrets/trial.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { CONSENT_CALLBACK, type consents } from '../contract/consents.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import type { Principal } from '../principal.ts';
import { integrationViewOf } from '../views/integration-views.ts';
import { findIntegration, findTrial, HELD, recordChange } from './integrations.ts';

const WIZARD = '/settings/channels/mailbox';

export function consentRoutes({ database, keys, oauth, publicUrl }: ApiDependencies): Handlers<typeof consents> {
  /** The consent this person asked for, once. */
  async function takeWaiting(em: EntityManager, principal: Principal, state: string): Promise<Trial | null> {
    const [id = ''] = state.split('.');
    if (!UUID.test(id)) return null;
    const trial = await em.findOne(
      Trial,
      { id, state: 'waiting', expiresAt: { $gt: new Date() } },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (!trial) return null;
    const { consent } = trial.input<ConsentedMailbox>(keys);
    return consent.userId === principal.userId && isSame(consent.state, state) ? trial : null;
  }

  return {
    listOAuthProviders: async () => ({ providers: OAUTH_PROVIDERS.filter((name) => oauth[name]) }),

    requestConsent: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const provider = oauth[body.provider];
        if (!provider) {
          throw new Conflict(
            'oauth.not-offered',
            'This installation is not registered with that provider: connect the mailbox by its password.',
          );
        }
        const known = body.integrationId ? await findIntegration(em, body.integrationId, 'email') : null;
        const address = known?.address ?? body.address?.toLowerCase() ?? '';
        const trialId = newId();
        const secrets = newConsentSecrets(trialId);
        const redirectUri = `${publicUrl}/inbox${CONSENT_CALLBACK}`;
        const input: ConsentedMailbox = {
          address,
          imap: { ...provider.imap, username: address },
          smtp: { ...provider.smtp, username: address },
          consent: {
            ...secrets,
            provider: body.provider,
            userId: principal.userId,
            redirectUri,
            integrationId: known?.id ?? null,
            answer: null,
            tokens: null,
          },
        };
        openTrial(em, keys, principal.tenantId, { id: trialId, kind: 'mailbox', state: 'waiting', input });
        audit(em, principal.actor, {
          action: 'consent.requested',
          subject: known ? { kind: 'integration', id: known.id } : { kind: 'trial', id: trialId },
          after: { provider: body.provider },
        });
        return { trialId, url: authorizationUrl(provider, secrets, redirectUri, address || null) };
      }),

    answerConsent: async ({ principal, query, response }) => {
      const trialId = await database.inTenant(principal.tenantId, async (em) => {
        const trial = await takeWaiting(em, principal, query.state ?? '');
        if (!trial) return null;
        const input = trial.input<ConsentedMailbox>(keys);
        const answer = new URLSearchParams(query).toString();
        trial.replaceInput(keys, { ...input, consent: { ...input.consent, answer } });
        trial.state = 'running';
        startMailboxTrial(em, principal.tenantId, trial.id);
        audit(em, principal.actor, {
          action: 'mailbox.tried',
          subject: { kind: 'trial', id: trial.id },
          after: { host: input.imap.host, provider: input.consent.provider },
        });
        return trial.id;
      });
      // The code must not stand in the address that the next page, or somebody over the shoulder, reads.
      response.redirect(303, trialId ? `${WIZARD}?trial=${trialId}` : `${WIZARD}?refused=consent`);
      return undefined;
    },

    reconnectMailbox: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const integration = await findIntegration(em, params.id, 'email', HELD);
        const trial = await findTrial(em, body.trialId);
        const input = trial.input<MailboxTrialInput>(keys);
        if (!isConsented(input) || input.consent.integrationId !== integration.id)
          throw new NotFound('trial.not-found', 'This consent is for another mailbox: reconnect this one once more.');
        if (trial.state !== 'passed')
          throw new Conflict('trial.not-passed', 'The mailbox could not be opened: reconnect it once more.');
        const { imap, smtp, consent } = input;
        integration.settings = { ...integration.mailboxSettings(), imap, smtp, oauth: consent.provider };
        integration.reconnected();
        await keepMailboxSecret(em, keys, integration, input);
        em.remove(trial);
        recordChange(em, principal, integration, 'integration.reconnected');
        startApplyIntegration(em, principal.tenantId, integration.id);
        // What came meanwhile is fetched now, and not at the next look of the schedule.
        const sync = em.create(Sync, { id: newId(), integrationId: integration.id, trigger: 'person' });
        startSync(em, principal.tenantId, integration.id, sync.id);
        return integrationViewOf(integration, publicUrl);
      }),
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
