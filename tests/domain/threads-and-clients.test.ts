import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Message } from '#domain/conversations/message.ts';
import { findThread, ThreadKey } from '#domain/conversations/thread.ts';
import { Client, ContactPoint, recogniseClient } from '#domain/people/client.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';
import { createConversation, createMailbox } from '../support/story.ts';

let db: TestDatabase;
let acme: string;
let globex: string;

beforeAll(async () => {
  db = await testDatabase();
  acme = await createTenant(db.database, 'acme');
  globex = await createTenant(db.database, 'globex');
});

afterAll(() => db?.close());

describe('a client', () => {
  test('is one person when ten first messages arrive at once', async () => {
    const contact = [{ kind: 'email' as const, value: 'camille@example.com' }];
    const clients = await Promise.all(
      Array.from({ length: 10 }, () =>
        db.database.inTenant(acme, async (em) => (await recogniseClient(em, acme, contact, 'Camille', 'fr')).id),
      ),
    );
    expect(new Set(clients).size).toBe(1);
    expect(await db.database.inTenant(acme, (em) => em.count(Client, {}))).toBe(1);
  });

  test('is found by any of their addresses and numbers, and what is new is added', async () => {
    await db.database.inTenant(acme, async (em) => {
      const email = { kind: 'email' as const, value: 'zoe@example.com' };
      const phone = { kind: 'phone' as const, value: '+33612345678' };
      const first = await recogniseClient(em, acme, [email], null, null);
      const second = await recogniseClient(em, acme, [email, phone], 'Zoé', 'fr');
      const third = await recogniseClient(em, acme, [phone], 'Somebody else', 'en');
      expect([second.id, third.id]).toEqual([first.id, first.id]);
      expect(third).toMatchObject({ name: 'Zoé', language: 'en' });
      expect(await em.count(ContactPoint, { clientId: first.id })).toBe(2);
    });
  });

  test('begins without attributes, and rules on them find none', async () => {
    const contact = [{ kind: 'email' as const, value: 'neuf@example.com' }];
    const { id } = await db.database.inTenant(acme, (em) => recogniseClient(em, acme, contact, null, null));
    const { rows } = await db.owner.query('select attributes from client where id = $1', [id]);
    expect(rows).toEqual([{ attributes: {} }]);
  });

  test('of two companies with one address is two clients', async () => {
    const contact = [{ kind: 'email' as const, value: 'shared@example.com' }];
    const [one, other] = await Promise.all(
      [acme, globex].map((tenant) =>
        db.database.inTenant(tenant, async (em) => (await recogniseClient(em, tenant, contact, null, null)).id),
      ),
    );
    expect(one).not.toBe(other);
  });
});

/** What recordMessage does with a thread: join the one that is found, or open the one that was reserved. */
async function record(keys: string[], from: string, tenant = acme): Promise<string> {
  return db.database.inTenant(tenant, async (em) => {
    const client = await recogniseClient(em, tenant, [{ kind: 'email', value: from }], null, null);
    const thread = await findThread(em, {
      tenantId: tenant,
      keys,
      senderAddress: from,
      clientId: client.id,
      returnedTo: null,
      isSigned: false,
    });
    if (!thread.found) {
      const mailbox = createMailbox(em, `${thread.conversationId}@acme.test`);
      em.create(Conversation, {
        id: thread.conversationId,
        clientId: client.id,
        integrationId: mailbox.id,
        channel: 'email',
        subject: 'x',
        preview: 'x',
        lastMessageAt: new Date(),
      });
    }
    return thread.conversationId;
  });
}

describe('a thread', () => {
  test('whose two mails arrive at once, in either order, is one conversation', async () => {
    for (let round = 0; round < 20; round += 1) {
      const from = `camille${round}@example.com`;
      const first = [`mail:first-${round}`];
      const second = [`mail:second-${round}`, `mail:first-${round}`];
      const pair = round % 2 ? [first, second] : [second, first];
      const [one, other] = await Promise.all(pair.map((keys) => record(keys, from)));
      expect(one).toBe(other);
    }
  });

  test('takes a colleague of the client in, and a stranger not', async () => {
    const { conversation } = await db.database.inTenant(acme, (em) =>
      createConversation(em, acme, 'camille@client.example'),
    );
    await db.database.inTenant(
      acme,
      async (em) => void em.create(ThreadKey, { key: 'mail:known', conversationId: conversation.id }),
    );
    expect(await record(['mail:a', 'mail:known'], 'tom@client.example')).toBe(conversation.id);
    expect(await record(['mail:b', 'mail:known'], 'mallory@elsewhere.example')).not.toBe(conversation.id);
  });

  test('takes in whoever names a mail of ours, which only its readers can', async () => {
    const ours = 'relais.1042.d5c1b2@acme.test';
    const { conversation } = await db.database.inTenant(acme, async (em) => {
      const story = await createConversation(em, acme, 'lea@client.example');
      em.create(Message, {
        id: newId(),
        conversationId: story.conversation.id,
        direction: 'outbound',
        channel: 'email',
        integrationId: story.mailbox.id,
        runId: `tenant/${acme}/reply/${newId()}`,
        externalId: ours,
        references: [],
        sender: { address: story.mailbox.address, name: null },
        recipients: ['lea@client.example'],
        cc: [],
        subject: 'Re: Bonjour',
        text: 'Voici le contrat.',
        newText: 'Voici le contrat.',
        kind: 'personal',
        sentAt: new Date(),
      });
      em.create(ThreadKey, { key: `mail:${ours}`, conversationId: story.conversation.id });
      return story;
    });
    expect(await record(['mail:d', `mail:${ours}`], 'notary@elsewhere.example')).toBe(conversation.id);
    expect(await record(['mail:e', 'mail:relais.1042.000000@acme.test'], 'x@elsewhere.example')).not.toBe(
      conversation.id,
    );
  });

  test('does not take somebody in because both have an address at a public provider', async () => {
    const { conversation } = await db.database.inTenant(acme, (em) =>
      createConversation(em, acme, 'camille.m@gmail.com'),
    );
    await db.database.inTenant(
      acme,
      async (em) => void em.create(ThreadKey, { key: 'mail:gm', conversationId: conversation.id }),
    );
    expect(await record(['mail:c', 'mail:gm'], 'mallory@gmail.com')).not.toBe(conversation.id);
  });

  test('of one company is not joined from another that knows the Message-ID', async () => {
    const mine = await record(['mail:secret'], 'camille@client.example');
    const theirs = await record(['mail:x', 'mail:secret'], 'camille@client.example', globex);
    expect(theirs).not.toBe(mine);
  });
});
