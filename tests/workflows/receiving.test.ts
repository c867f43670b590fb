import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Message } from '#domain/conversations/message.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { bounceOf, mail } from '../support/mails.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let acme: Company;
let globex: Company;
let support: string;
let sales: string;
let theirs: string;
let webhook: { id: string; secret: string };

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  support = await road.mailbox(acme, 'support@acme.test');
  sales = await road.mailbox(acme, 'ventes@acme.test');
  theirs = await road.mailbox(globex, 'support@globex.test');
  const created = await acme.owner.api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
  await acme.owner.api.createFolder({
    body: {
      name: 'Rendez-vous',
      rules: [
        {
          any: [
            { field: 'subject', operator: 'contains', value: 'RDV' },
            { field: 'content', operator: 'contains', value: 'rendez-vous' },
          ],
        },
      ],
    },
  });
  await acme.owner.api.createFolder({
    body: {
      name: 'Support',
      rules: [
        {
          all: [
            { field: 'sender.address', operator: 'equals', value: 'support@client.com' },
            { field: 'content', operator: 'contains', value: 'problème' },
          ],
        },
      ],
    },
  });
});

afterAll(() => road?.close());

async function conversationOf(company: Company, receiptId: string) {
  return road.db.database.inTenant(company.tenantId, async (em) => {
    const message = await em.findOneOrFail(Message, { receiptId });
    return { message, conversation: await em.findOneOrFail(Conversation, { id: message.conversationId }) };
  });
}

describe('duplicates', () => {
  test('the same mail in two mailboxes of one company is one message, in two companies two', async () => {
    const raw = mail({ subject: 'Deux boîtes' });
    const first = await road.receiveMail(acme, support, raw);
    expect(await road.runOf(acme, first)).toMatchObject({ stage: 'no-reply' });
    const { message } = await conversationOf(acme, first);
    const second = await road.receiveMail(acme, sales, raw.replace('To: support', 'To: ventes'));
    expect(await road.runOf(acme, second)).toEqual({ stage: 'duplicate', reason: `of message ${message.id}` });
    const elsewhere = await road.receiveMail(globex, theirs, raw);
    expect(await road.runOf(globex, elsewhere)).toMatchObject({ stage: 'no-reply' });
  });

  test('two different mails with one Message-ID are two messages', async () => {
    const id = 'same@example.com';
    const one = await road.receiveMail(acme, support, mail({ id, subject: 'Une', text: 'La première.' }));
    const other = await road.receiveMail(acme, support, mail({ id, subject: 'Deux', text: 'La seconde.' }));
    await Promise.all([road.runOf(acme, one), road.runOf(acme, other)]);
    const messages = await road.db.database.inTenant(acme.tenantId, (em) => em.count(Message, { externalId: id }));
    expect(messages).toBe(2);
  });

  test('ten copies of one mail arriving together are one message', async () => {
    const raw = mail({ subject: 'Dix fois' });
    const receipts = await Promise.all(Array.from({ length: 10 }, () => road.receiveMail(acme, support, raw)));
    const results = await Promise.all(receipts.map((receipt) => road.runOf(acme, receipt)));
    expect(results.filter((result) => result.stage === 'duplicate')).toHaveLength(9);
    const count = await road.db.database.inTenant(acme.tenantId, (em) => em.count(Message, { subject: 'Dix fois' }));
    expect(count).toBe(1);
  });

  test('a webhook sent five times at once with one idempotency key is accepted five times and recorded once', async () => {
    const message = { from: { email: 'five@example.com' }, subject: 'Cinq fois', text: 'Bonjour' };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => road.deliver(webhook, message, { 'idempotency-key': 'order-5' })),
    );
    expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202, 202, 202]);
    await until('the run is done', () =>
      road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Receipt, { sourceId: 'order-5', state: 'done' })),
    );
    const counts = await road.db.database.inTenant(acme.tenantId, async (em) => [
      await em.count(Receipt, { sourceId: 'order-5' }),
      await em.count(Message, { subject: 'Cinq fois' }),
    ]);
    expect(counts).toEqual([1, 1]);
  });
});

describe('the filter', () => {
  test('keeps a newsletter apart with its reason, and one click brings it back and lets the sender through', async () => {
    const newsletter = () =>
      mail({
        from: 'La Boutique <news@boutique.example>',
        subject: 'Nos offres',
        headers: {
          'List-Id': '<news.boutique.example>',
          'List-Unsubscribe': '<https://boutique.example/u>',
          Precedence: 'bulk',
        },
      });
    const receipt = await road.receiveMail(acme, support, newsletter());
    expect(await road.runOf(acme, receipt)).toMatchObject({ stage: 'filtered' });
    const { message, conversation } = await conversationOf(acme, receipt);
    expect(conversation).toMatchObject({ kind: 'newsletter', unread: false });
    const places = async (place: 'inbox' | 'newsletters') =>
      (await acme.owner.api.listConversations({ query: { place } })).items.map((row) => row.id);
    expect(await places('newsletters')).toContain(conversation.id);
    expect(await places('inbox')).not.toContain(conversation.id);

    await acme.owner.api.correctKind({ params: { id: message.id }, body: { kind: 'personal' } });
    expect(await places('inbox')).toContain(conversation.id);
    const next = await road.receiveMail(acme, support, newsletter());
    expect(await road.runOf(acme, next)).toMatchObject({ stage: 'no-reply' });
  });

  test('never lets an out-of-office answer reopen a conversation, cancel a follow-up or make it unread', async () => {
    const first = await road.receiveMail(acme, support, mail({ subject: 'Absence', id: 'before@example.com' }));
    await road.runOf(acme, first);
    const { conversation } = await conversationOf(acme, first);
    await acme.owner.api.readConversation({ params: { id: conversation.id }, body: { read: true } });
    await acme.owner.api.addFollowUp({
      params: { id: conversation.id },
      body: { mode: 'remind', dueAt: new Date(Date.now() + 3600_000).toISOString() },
    });
    await acme.owner.api.changeStatus({ params: { id: conversation.id }, body: { status: 'resolved' } });
    const absence = await road.receiveMail(
      acme,
      support,
      mail({
        subject: 'Réponse automatique : Absence',
        headers: {
          'Auto-Submitted': 'auto-replied',
          'In-Reply-To': '<before@example.com>',
          References: '<before@example.com>',
        },
      }),
    );
    expect(await road.runOf(acme, absence)).toMatchObject({ stage: 'filtered' });
    const view = await acme.owner.api.getConversation({ params: { id: conversation.id } });
    expect(view).toMatchObject({ progress: 'resolved', unread: false });
    expect(view.followUps).toMatchObject([{ state: 'armed' }]);
    expect(view.messages).toHaveLength(2);
  });

  test('a bounce marks the reply it gives back', async () => {
    const receipt = await road.receiveMail(acme, support, mail({ from: 'gone@example.com', subject: 'Partie' }));
    await road.runOf(acme, receipt);
    const { conversation } = await conversationOf(acme, receipt);
    await acme.owner.api.writeReply({ params: { id: conversation.id }, body: { text: 'Bonjour' } });
    const [sent] = await until('the reply is sent', () => {
      const mails = road.sink.to('gone@example.com');
      return mails.length > 0 && mails;
    });
    const id = sent!.mail.messageId!.replace(/[<>]/g, '');
    const bounce = await road.receiveMail(acme, support, bounceOf(id, 'gone@example.com'));
    expect(await road.runOf(acme, bounce)).toMatchObject({ stage: 'filtered' });
    const view = await acme.owner.api.getConversation({ params: { id: conversation.id } });
    expect(view.messages.find((message) => message.direction === 'outbound')?.reply).toMatchObject({
      state: 'failed',
      failure: 'bounced',
    });
    expect(view.messages.at(-1)).toMatchObject({ kind: 'bounce' });
  });
});

describe('rules', () => {
  test.each([
    ['Demande de rdv', 'Bonjour', 'camille@example.com', 'Rendez-vous'],
    ['Bonjour', 'Je voudrais prendre RENDEZ-VOUS demain', 'camille@example.com', 'Rendez-vous'],
    ['Bonjour', "J'ai un probleme avec mon compte", 'support@client.com', 'Support'],
    ['Bonjour', "J'ai un problème avec mon compte", 'somebody@client.com', null],
  ])('sort "%s / %s" of %s into %s, as the trade writes them', async (subject, text, from, folder) => {
    const receipt = await road.receiveMail(acme, support, mail({ subject, text, from }));
    await road.runOf(acme, receipt);
    const { conversation } = await conversationOf(acme, receipt);
    const folders = (await acme.owner.api.listFolders()).folders;
    expect(folders.find((candidate) => candidate.id === conversation.folderId)?.name ?? null).toBe(folder);
    const { steps } = await acme.owner.api.listSteps({ params: { id: conversation.id } });
    const classified = steps.find((step) => step.name === 'classifyMessage');
    expect(classified?.outcome).toBe(folder ? 'rule-matched' : 'no-rule-matched');
    if (folder) expect(classified?.evidence.length).toBeGreaterThan(0);
  });

  test('never move what a person has put somewhere', async () => {
    const first = await road.receiveMail(acme, support, mail({ subject: 'Un RDV', id: 'moved@example.com' }));
    await road.runOf(acme, first);
    const { conversation } = await conversationOf(acme, first);
    await acme.owner.api.moveConversation({ params: { id: conversation.id }, body: { folderId: null } });
    const second = await road.receiveMail(
      acme,
      support,
      mail({ subject: 'Re: Un RDV', headers: { 'In-Reply-To': '<moved@example.com>' } }),
    );
    await road.runOf(acme, second);
    expect((await conversationOf(acme, second)).conversation).toMatchObject({
      id: conversation.id,
      folderId: null,
      sortedBy: 'person',
    });
  });

  test('made later sort what had no folder', async () => {
    const receipt = await road.receiveMail(
      acme,
      support,
      mail({ subject: 'Facture 2026-118', text: 'Voir la pièce jointe.' }),
    );
    await road.runOf(acme, receipt);
    const { conversation } = await conversationOf(acme, receipt);
    expect(conversation.folderId).toBeNull();
    const folder = await acme.owner.api.createFolder({
      body: { name: 'Factures', rules: [{ field: 'subject', operator: 'startsWith', value: 'facture' }] },
    });
    await until('it is sorted', async () => (await conversationOf(acme, receipt)).conversation.folderId === folder.id);
  });

  test('are tried on past messages before they are saved', async () => {
    const trial = await acme.owner.api.tryRule({
      body: { rule: { field: 'subject', operator: 'contains', value: 'rdv' } },
    });
    expect(trial.matched).toBeGreaterThanOrEqual(2);
    expect(trial.tried).toBeGreaterThan(trial.matched);
    expect(trial.examples[0]).toMatchObject({ sender: 'Camille Martin' });
    const none = await globex.owner.api.tryRule({
      body: { rule: { field: 'subject', operator: 'contains', value: 'rdv' } },
    });
    expect(none.matched).toBe(0);
  });
});

describe('what cannot be read', () => {
  test('is set aside visibly, does not stop the others, and can be tried again', async () => {
    const broken = await road.receiveMail(acme, support, '\u0000');
    const after = await road.receiveMail(acme, support, mail({ subject: 'Derrière' }));
    expect(await road.runOf(acme, broken)).toEqual({ stage: 'set-aside', reason: 'unreadable' });
    expect(await road.runOf(acme, after)).toMatchObject({ stage: 'no-reply' });
    const { items } = await acme.owner.api.listSetAside();
    expect(items).toMatchObject([{ id: broken, problem: expect.stringContaining('not a mail') }]);
    expect((await globex.owner.api.listSetAside()).items).toEqual([]);

    await road.db.owner.query('update receipt set raw = $2 where id = $1', [
      broken,
      Buffer.from(mail({ subject: 'Réparé' })),
    ]);
    await acme.owner.api.retryReceipt({ params: { id: broken } });
    await until('it is recorded', () =>
      road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { subject: 'Réparé' })),
    );
    expect((await acme.owner.api.listSetAside()).items).toEqual([]);
  });
});

describe('a conversation', () => {
  test('that was resolved opens again when the client answers', async () => {
    const first = await road.receiveMail(acme, support, mail({ subject: 'Fini ?', id: 'done@example.com' }));
    await road.runOf(acme, first);
    const { conversation } = await conversationOf(acme, first);
    await acme.owner.api.changeStatus({ params: { id: conversation.id }, body: { status: 'resolved' } });
    const answer = await road.receiveMail(
      acme,
      support,
      mail({ subject: 'Autre sujet', headers: { References: '<done@example.com>' }, text: 'Pas encore.' }),
    );
    await road.runOf(acme, answer);
    const view = await acme.owner.api.getConversation({ params: { id: conversation.id } });
    expect(view).toMatchObject({ progress: 'in_progress', unread: true, preview: 'Pas encore.' });
  });

  test('is not joined by an unrelated mail with the same subject', async () => {
    const subjects = ['Même sujet', 'Même sujet'];
    const receipts = await Promise.all(subjects.map((subject) => road.receiveMail(acme, support, mail({ subject }))));
    await Promise.all(receipts.map((receipt) => road.runOf(acme, receipt)));
    const [one, other] = await Promise.all(receipts.map((receipt) => conversationOf(acme, receipt)));
    expect(one!.conversation.id).not.toBe(other!.conversation.id);
  });
});

describe('while no worker runs', () => {
  test('webhooks are accepted, and processed when one is back', async () => {
    await road.stopWorkers();
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        road.deliver(webhook, {
          from: { email: `away${index}@example.com` },
          subject: 'Pendant ce temps',
          text: 'Bonjour',
        }),
      ),
    );
    expect(answers.every((answer) => answer.status === 202)).toBe(true);
    await road.startWorkers();
    await until('all five are recorded', async () => {
      const count = await road.db.database.inTenant(acme.tenantId, (em) =>
        em.count(Message, { subject: 'Pendant ce temps' }),
      );
      return count === 5;
    });
  });
});
