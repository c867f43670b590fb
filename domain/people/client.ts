// The customer: one person however they write, found again by any of their addresses and numbers.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { newId, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const ClientSchema = defineEntity({
  name: 'Client',
  properties: {
    ...tenantOwned,
    name: p.string().length(300).nullable(),
    /** The language of their last message, as a two-letter code. */
    language: p.string().length(8).nullable(),
    attributes: p.json<Record<string, string>>().onCreate(() => ({})),
  },
  uniques: [referable],
});

export class Client extends ClientSchema.class {
  /** Takes over what a new message tells, without erasing what is known. */
  learn(name: string | null, language: string | null): void {
    if (!this.name && name) this.name = name.slice(0, 300);
    if (language) this.language = language;
  }
}
ClientSchema.setClass(Client);

const ContactPointSchema = defineEntity({
  name: 'ContactPoint',
  properties: {
    ...tenantOwned,
    clientId: p.uuid(),
    kind: p.enum(['email', 'phone', 'handle'] as const),
    /** A lower-cased address, a number in E.164, or the name another system knows the client by. */
    value: p.string().length(320),
  },
  uniques: [{ properties: ['tenantId', 'kind', 'value'] }],
  indexes: [{ properties: ['tenantId', 'clientId'] }],
});

/** An address or number of a client. The unique key makes sure nobody is known twice by it. */
export class ContactPoint extends ContactPointSchema.class {}
ContactPointSchema.setClass(ContactPoint);

export type Contact = { kind: 'email' | 'phone' | 'handle'; value: string };

/**
 * Finds the client who owns one of these contact points, or makes one; points that nobody owns yet are added.
 * Two messages of an unknown client arriving at once meet on the unique key: the second waits for the first one's
 * transaction and then finds its client.
 *
 * @param contacts normalised, most telling first; at least one
 */
export async function recogniseClient(
  em: EntityManager,
  tenantId: string,
  contacts: readonly Contact[],
  name: string | null,
  language: string | null,
): Promise<Client> {
  const candidateId = newId();
  const claimed = await claimContactPoints(em, tenantId, candidateId, contacts);
  const ownerId = claimed.find((point) => point.clientId !== candidateId)?.clientId;
  if (ownerId) {
    await em.nativeUpdate(ContactPoint, { clientId: candidateId }, { clientId: ownerId });
    const known = await em.findOneOrFail(Client, { id: ownerId });
    known.learn(name, language);
    return known;
  }
  const client = em.create(Client, { id: candidateId, tenantId, name: name?.slice(0, 300) ?? null, language });
  return client;
}

// Sorted, so that two transactions claiming the same points cannot wait for each other in a circle.
async function claimContactPoints(
  em: EntityManager,
  tenantId: string,
  clientId: string,
  contacts: readonly Contact[],
): Promise<{ kind: string; value: string; clientId: string }[]> {
  const sorted = [...contacts].sort((a, b) => (a.value < b.value ? -1 : 1));
  let ours = 0;
  for (const contact of sorted) {
    const claimed = await em.execute(
      `insert into contact_point (id, tenant_id, created_at, client_id, kind, value)
       values (?, ?, now(), ?, ?, ?) on conflict (tenant_id, kind, value) do nothing returning id`,
      [newId(), tenantId, clientId, contact.kind, contact.value],
    );
    ours += claimed.length;
  }
  if (ours === sorted.length) return sorted.map((contact) => ({ ...contact, clientId }));
  const points = await em.find(ContactPoint, { $or: sorted.map(({ kind, value }) => ({ kind, value })) });
  return points.map(({ kind, value, clientId: owner }) => ({ kind, value, clientId: owner }));
}
