// Finds the conversation a message belongs to. Every Message-ID a mail carries or refers to, and every number of a
// channel, is a key that leads to one conversation; the unique key on it makes two mails of one thread that arrive
// together meet, in whichever order they come.
import { defineEntity, LockMode, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { domainOf } from '#domain/rules/email-address.ts';
import { newId, tenantOwned } from '#domain/tenancy/tenant-owned.ts';
import { Conversation } from './conversation.ts';
import { Message } from './message.ts';

export const MAIL_KEY = 'mail:';
/** Of the secret in the address an answer of ours asks to be answered at. */
export const REPLY_ADDRESS_KEY = 'reply-address:';

const ThreadKeySchema = defineEntity({
  name: 'ThreadKey',
  properties: {
    ...tenantOwned,
    /** `mail:<message id>`, `reply-address:<secret>`, `webhook:<integration>:<conversation name>`,
     *  `sms:<our number>:<theirs>`; long ids are digested. */
    key: p.string().length(300),
    conversationId: p.uuid(),
  },
  uniques: [{ properties: ['tenantId', 'key'] }],
  indexes: [{ properties: ['tenantId', 'conversationId'] }],
});

export class ThreadKey extends ThreadKeySchema.class {}
ThreadKeySchema.setClass(ThreadKey);

/**
 * Claims keys for a conversation and tells which conversations already hold some of them.
 * A transaction that claims a key another one is claiming waits for it to end: whoever comes second joins.
 *
 * @param keys sorted by the caller's importance; an empty list claims nothing
 * @returns the conversations that already owned one of the keys, oldest first
 */
export async function claimThreadKeys(
  em: EntityManager,
  tenantId: string,
  conversationId: string,
  keys: readonly string[],
): Promise<string[]> {
  if (keys.length === 0) return [];
  // Sorted, so that two transactions with the same keys cannot wait for each other in a circle.
  for (const key of [...keys].sort()) {
    await em.execute(
      `insert into thread_key (id, tenant_id, created_at, key, conversation_id)
       values (?, ?, now(), ?, ?) on conflict (tenant_id, key) do nothing`,
      [newId(), tenantId, key, conversationId],
    );
  }
  const owners = await em.find(
    ThreadKey,
    { key: { $in: [...keys] }, conversationId: { $ne: conversationId } },
    { orderBy: { conversationId: 'asc' } },
  );
  return [...new Set(owners.map((owner) => owner.conversationId))];
}

/** Hands every key of one conversation to another: the claimed thread turned out to be known. */
export async function moveThreadKeys(em: EntityManager, from: string, to: string): Promise<void> {
  await em.nativeUpdate(ThreadKey, { conversationId: from }, { conversationId: to });
}

export type ThreadFound = {
  /** The conversation it joins; null when it opens one under `conversationId`. */
  found: Conversation | null;
  conversationId: string;
  /** `reply-address` sent to the address one of our mails asks to be answered at; `reference` joined by a key;
   *  `our-mail` a newcomer who answers a mail of ours; `returned` a bounce of ours; `new` no key was known; `stranger` not
   *  this sender; `number` joined by both numbers; `long-ago` the last message between them is older than the window. */
  reason: 'reply-address' | 'reference' | 'our-mail' | 'returned' | 'new' | 'stranger' | 'number' | 'long-ago';
};

/**
 * Finds or reserves the conversation of an incoming message. A sender who never took part in the thread, and does not
 * share the client's own domain, does not get into it by quoting one of its Message-IDs; unless it is one of ours: those
 * cannot be guessed (write-reply.ts), so whoever names one, or writes to its reply address, was shown the mail.
 */
export async function findThread(
  em: EntityManager,
  message: {
    tenantId: string;
    keys: readonly string[];
    /** Secrets in the addresses it was sent to: the surest sign. */
    replySecrets?: readonly string[];
    senderAddress: string | null;
    clientId: string;
    /** The conversation of the mail a bounce gives back. */
    returnedTo: string | null;
    /** The keys come from a system that signs its calls, not from whoever wrote. */
    isSigned: boolean;
    /** For channels without references: how long two numbers stay in one conversation. */
    window?: { ms: number; at: Date };
  },
): Promise<ThreadFound> {
  const conversationId = newId();
  if (message.returnedTo) {
    const found = await heldConversation(em, message.returnedTo);
    if (found) return { found, conversationId: found.id, reason: 'returned' };
  }
  const owners = await claimThreadKeys(em, message.tenantId, conversationId, message.keys);
  const [key] = message.keys;
  if (message.window && key) return withinWindow(em, conversationId, key, message.window);
  const [byAddress] = await conversationsAnswered(em, message.replySecrets ?? []);
  const answered = byAddress && (await heldConversation(em, byAddress.id));
  if (answered) return join(em, answered, conversationId, 'reply-address');
  for (const owner of owners) {
    const conversation = await heldConversation(em, owner);
    if (!conversation) continue;
    const reason = await reasonToJoin(em, conversation, message);
    if (reason) return join(em, conversation, conversationId, reason);
  }
  return { found: null, conversationId, reason: owners.length > 0 ? 'stranger' : 'new' };
}

/** Until the message stands in it nobody deletes it; null when somebody has. */
function heldConversation(em: EntityManager, id: string): Promise<Conversation | null> {
  return em.findOne(Conversation, { id, deletedAt: null }, { lockMode: LockMode.PESSIMISTIC_READ, refresh: true });
}

/** The keys that were claimed for a conversation of its own lead to the one it joins. */
async function join(
  em: EntityManager,
  found: Conversation,
  reserved: string,
  reason: ThreadFound['reason'],
): Promise<ThreadFound> {
  await moveThreadKeys(em, reserved, found.id);
  return { found, conversationId: found.id, reason };
}

/** Only our own mails write such keys: what an answer brings along is looked up, never claimed. */
export async function conversationsAnswered(
  em: EntityManager,
  replySecrets: readonly string[],
): Promise<Conversation[]> {
  if (replySecrets.length === 0) return [];
  const keys = await em.find(ThreadKey, { key: { $in: replySecrets.map((secret) => REPLY_ADDRESS_KEY + secret) } });
  return em.find(Conversation, { id: { $in: keys.map((key) => key.conversationId) }, deletedAt: null });
}

// The key is held while it is looked at: of ten messages that come at once after a long silence one opens the new
// conversation, and nine find it.
async function withinWindow(
  em: EntityManager,
  conversationId: string,
  key: string,
  window: { ms: number; at: Date },
): Promise<ThreadFound> {
  const [held] = await em.execute<{ conversation_id: string }[]>(
    'select conversation_id from thread_key where key = ? for update',
    [key],
  );
  if (held?.conversation_id === conversationId) return { found: null, conversationId, reason: 'new' };
  const found = await heldConversation(em, held!.conversation_id);
  if (found && window.at.getTime() - found.lastMessageAt.getTime() <= window.ms)
    return { found, conversationId: found.id, reason: 'number' };
  await em.execute('update thread_key set conversation_id = ? where key = ?', [conversationId, key]);
  return { found: null, conversationId, reason: 'long-ago' };
}

async function reasonToJoin(
  em: EntityManager,
  conversation: Conversation,
  message: { keys: readonly string[]; senderAddress: string | null; clientId: string; isSigned: boolean },
): Promise<'reference' | 'our-mail' | null> {
  if (message.isSigned || conversation.clientId === message.clientId) return 'reference';
  if (message.senderAddress && (await takesPart(em, conversation, message.senderAddress))) return 'reference';
  return (await answersOurMail(em, conversation.id, message.keys)) ? 'our-mail' : null;
}

async function answersOurMail(em: EntityManager, conversationId: string, keys: readonly string[]): Promise<boolean> {
  const named = keys.flatMap((key) => (key.startsWith(MAIL_KEY) ? [key.slice(MAIL_KEY.length)] : []));
  return (await em.count(Message, { conversationId, direction: 'outbound', externalId: { $in: named } })) > 0;
}

/**
 * Whether somebody with this address, or a colleague of theirs, has written or been written to in the conversation, or is
 * its client.
 * @param besides a message that does not count: the one that is being judged
 */
export async function takesPart(
  em: EntityManager,
  conversation: Conversation,
  address: string,
  besides: string | null = null,
): Promise<boolean> {
  const [row] = await em.execute<{ known: boolean }[]>(
    `select exists (select from contact_point where client_id = ? and kind = 'email' and value = ?) or exists (
       select from message
        where conversation_id = ? and id is distinct from ?::uuid
          and (sender ->> 'address' = ?
               or recipients @> to_jsonb(?::text)
               or cc @> to_jsonb(?::text)
               or split_part(sender ->> 'address', '@', 2) = ?)
     ) as known`,
    [conversation.clientId, address, conversation.id, besides, address, address, address, companyDomain(address)],
  );
  return row?.known === true;
}

// Where anybody gets an address, a shared domain says nothing.
const PUBLIC_MAIL_DOMAINS = new Set([
  'gmail.com',
  'googlemail.com',
  'outlook.com',
  'outlook.fr',
  'hotmail.com',
  'hotmail.fr',
  'live.com',
  'live.fr',
  'msn.com',
  'yahoo.com',
  'yahoo.fr',
  'icloud.com',
  'me.com',
  'mac.com',
  'aol.com',
  'gmx.com',
  'gmx.de',
  'gmx.fr',
  'web.de',
  'orange.fr',
  'wanadoo.fr',
  'free.fr',
  'sfr.fr',
  'neuf.fr',
  'laposte.net',
  'bbox.fr',
  'numericable.fr',
  'proton.me',
  'protonmail.com',
  'tutanota.com',
  'zoho.com',
  'yandex.com',
  'mail.ru',
]);

/** The domain that colleagues share; empty for a public mail provider. */
function companyDomain(address: string): string {
  const domain = domainOf(address) ?? '';
  return PUBLIC_MAIL_DOMAINS.has(domain) ? '' : domain;
}
