// Connecting numbers for SMS and WhatsApp, and what their doors did not let in. No secret is ever given back.
import { createPrivateKey } from 'node:crypto';
import type { EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Conflict, Invalid, NotFound } from '#domain/errors.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { QuarantinedCall } from '#domain/integrations/quarantined-call.ts';
import { takeTemplatesOver } from '#domain/integrations/whatsapp-template.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { toE164 } from '#domain/rules/phone-number.ts';
import { Credential, type CredentialName, keepCredential, revealCredential } from '#domain/secrets/credential.ts';
import type { KeyRing } from '#domain/secrets/key-ring.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { numbers } from '../contract/numbers.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import type { Principal } from '../principal.ts';
import { integrationViewOf } from '../views/integration-views.ts';
import { quarantineList } from '../views/quarantine-list.ts';
import { judge } from '../webhooks/admission.ts';
import { ConnectedNumbers } from '../webhooks/connected-numbers.ts';
import { letIn } from '../webhooks/let-in.ts';
import { factsOf, readCall } from '../webhooks/vonage-call.ts';
import { HELD } from './integrations.ts';

const A_DAY_MS = 24 * 3600_000;

type Secrets = {
  apiSecret?: string | undefined;
  privateKey?: string | undefined;
  signatureSecret?: string | undefined;
};

export function numberRoutes(dependencies: ApiDependencies): Handlers<typeof numbers> {
  const { database, keys, publicUrl } = dependencies;

  return {
    connectNumber: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const { channel, number, name, apiKey, applicationId, signatureAlgorithm, threadWindowDays, ...secrets } = body;
        const address = await ownNumber(em, principal.tenantId, number);
        const settings = { apiKey, applicationId, signatureAlgorithm, threadWindowDays };
        if ((await em.count(Integration, { channel, address, removedAt: null })) > 0)
          throw new Conflict('number.connected', 'This number is connected already: change it in its settings.');
        const integration = em.create(Integration, { id: newId(), channel, name, address, settings });
        await em.flush();
        await takeTemplatesOver(em, integration);
        await keepSecrets(em, keys, integration, secrets);
        await mustBeAbleToSend(em, integration);
        recordChange(em, principal, integration, 'integration.created');
        return integrationViewOf(integration, publicUrl);
      }),

    changeNumber: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const integration = await findNumber(em, params.id, undefined, HELD);
        const { name, apiSecret, privateKey, signatureSecret, ...fields } = body;
        if (name !== undefined) integration.name = name;
        const changed = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
        integration.settings = { ...integration.numberSettings(), ...changed };
        await keepSecrets(em, keys, integration, { apiSecret, privateKey, signatureSecret });
        await mustBeAbleToSend(em, integration);
        recordChange(em, principal, integration, 'integration.changed');
        return integrationViewOf(integration, publicUrl);
      }),

    listQuarantine: ({ principal, query }) =>
      database.inTenant(principal.tenantId, (em) => quarantineList(em, query.cursor)),

    retryQuarantinedCall: async ({ principal, params }) => {
      const { channel, call } = await database.inTenant(principal.tenantId, async (em) => {
        const row = await em.findOne(QuarantinedCall, { id: params.id }, { populate: ['raw'] });
        if (!row) throw gone();
        if (!row.raw || !row.call || (row.channel !== 'sms' && row.channel !== 'whatsapp'))
          throw new Conflict('call.not-kept', 'This call was only counted: Vonage has to send it again.');
        return { channel: row.channel, call: readCall(row.call, Buffer.from(row.raw)) };
      });
      const known = await new ConnectedNumbers(database, keys).of(channel, factsOf(call));
      const own = known.filter(({ tenantId }) => tenantId === principal.tenantId);
      const admission = judge(call, own, Math.floor(Date.now() / 1000), true);
      if (
        admission.verdict === 'nobody' ||
        (admission.verdict === 'quarantine' && admission.reason === 'unknown-number')
      )
        throw new Conflict('number.not-connected', 'Connect the number first, then try again.');
      if (admission.verdict === 'quarantine')
        throw new Conflict(
          'signature.wrong',
          'The signature still does not hold: compare signature secret and algorithm with the Vonage dashboard.',
        );
      await letIn(dependencies, call, { channel, ...admission });
      await database.inTenant(principal.tenantId, async (em) => {
        await em.nativeDelete(QuarantinedCall, { id: params.id });
        recordVerdict(em, principal, params.id, 'call.let_in');
      });
      return undefined;
    },

    dismissQuarantinedCall: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        if ((await em.nativeDelete(QuarantinedCall, { id: params.id })) === 0) throw gone();
        recordVerdict(em, principal, params.id, 'call.dismissed');
        return undefined;
      }),
  };
}

async function ownNumber(em: EntityManager, tenantId: string, typed: string): Promise<string> {
  const { phoneRegion } = await em.findOneOrFail(Tenant, { id: tenantId });
  const number = toE164(typed, phoneRegion) ?? (/^\d{3,8}$/.test(typed) ? typed : null);
  if (!number) throw new Invalid('number.not-valid', 'This is no telephone number: write it with its country, +33 …');
  return number;
}

async function keepSecrets(em: EntityManager, keys: KeyRing, { id, tenantId }: Integration, secrets: Secrets) {
  const keep = (name: CredentialName, value: string, expiresAt?: Date) =>
    keepCredential(em, keys, { tenantId, ownerId: id, name, value, ...(expiresAt ? { expiresAt } : {}) });
  if (secrets.apiSecret) await keep('vonage-api-secret', secrets.apiSecret);
  if (secrets.privateKey) {
    if (!isPrivateKey(secrets.privateKey))
      throw new Invalid('number.private-key', 'This is no private key: paste the whole file that Vonage gave, PEM.');
    await keep('vonage-private-key', secrets.privateKey);
  }
  if (!secrets.signatureSecret) return;
  if ((await em.count(Credential, { ownerId: id, name: 'vonage-signature-secret' })) > 0) {
    // Calls that are under way, and repeats of a day, were signed with the one before.
    const before = await revealCredential(em, keys, id, 'vonage-signature-secret');
    await keep('vonage-signature-secret-previous', before, new Date(Date.now() + A_DAY_MS));
  }
  await keep('vonage-signature-secret', secrets.signatureSecret);
}

async function mustBeAbleToSend(em: EntityManager, { id, ...integration }: Integration): Promise<void> {
  await em.flush();
  const { applicationId } = integration.settings as { applicationId: string | null };
  const names = (await em.find(Credential, { ownerId: id })).map(({ name }) => name);
  const byApplication = applicationId !== null && names.includes('vonage-private-key');
  if (!byApplication && !names.includes('vonage-api-secret'))
    throw new Invalid(
      'number.no-secret',
      'Give the API secret, or an application with its private key: without one of them nothing can be sent.',
    );
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

export async function findNumber(
  em: EntityManager,
  id: string,
  channels: ('sms' | 'whatsapp')[] = ['sms', 'whatsapp'],
  options: { lockMode?: LockMode } = {},
): Promise<Integration> {
  const number = await em.findOne(Integration, { id, channel: { $in: channels }, removedAt: null }, options);
  if (!number) throw new NotFound('integration.not-found', 'This number is not connected any more.');
  return number;
}

function recordChange(em: EntityManager, principal: Principal, integration: Integration, action: string): void {
  const { id, name, channel, state } = integration;
  audit(em, principal.actor, { action, subject: { kind: 'integration', id }, after: { name, channel, state } });
  announce(em, 'settings.changed', null, { integrationId: id });
}

function recordVerdict(em: EntityManager, principal: Principal, id: string, action: string): void {
  audit(em, principal.actor, { action, subject: { kind: 'call', id } });
  announce(em, 'settings.changed', null, {});
}

function gone(): NotFound {
  return new NotFound('call.not-found', 'This call is not in quarantine any more.');
}
