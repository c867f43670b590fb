import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Folder } from '#domain/conversations/folder.ts';
import { Message } from '#domain/conversations/message.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { SenderRule } from '#domain/integrations/sender-rule.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { openTrial, Trial } from '#domain/secrets/trial.ts';
import { AnsweringSettings } from '#domain/tenancy/answering-settings.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { inThisMoment } from '../support/in-this-moment.ts';
import { mail } from '../support/mails.ts';
import { type Company, Road } from '../support/road.ts';

let road: Road;
let acme: Company;
let support: string;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  support = await road.mailbox(acme, 'support@acme.test');
});

afterAll(() => road?.close());

const inAcme = <Result>(work: Parameters<typeof road.db.database.inTenant<Result>>[1]) =>
  road.db.database.inTenant(acme.tenantId, work);

describe('two admins who save the same in one moment', () => {
  test('are told so when it is a folder', async () => {
    await expect(
      inThisMoment(
        road.db,
        acme.tenantId,
        async (em) => em.create(Folder, { name: 'Commandes', position: 1 }),
        () => acme.owner.api.createFolder({ body: { name: 'Commandes' } }),
      ),
    ).rejects.toMatchObject({ problem: { status: 409, code: 'saved.at-once' } });
    const { folders } = await acme.owner.api.listFolders();
    expect(folders.filter(({ name }) => name === 'Commandes')).toHaveLength(1);
  });

  test('are both heard when it is a sender', async () => {
    const rule = await inThisMoment(
      road.db,
      acme.tenantId,
      async (em) => em.create(SenderRule, { pattern: 'shop.test', verdict: 'allow' }),
      () => acme.owner.api.putSenderRule({ body: { pattern: 'shop.test', verdict: 'block' } }),
    );
    const { rules } = await acme.owner.api.listSenderRules();
    expect(rules.filter(({ pattern }) => pattern === 'shop.test')).toEqual([rule]);
    expect(rule.verdict).toBe('block');
  });

  test('are both served when they are the first who look at the answers', async () => {
    await inAcme((em) => em.nativeDelete(AnsweringSettings, {}));
    const view = await inThisMoment(
      road.db,
      acme.tenantId,
      async (em) => em.create(AnsweringSettings, { prompt: 'Nous.' }),
      () => acme.owner.api.getAnswering(),
    );
    expect(view.prompt).toBe('Nous.');
  });
});

test('an agent who marks several messages of one sender as spam at once has all of them marked', async () => {
  const from = 'pushy@example.net';
  const receipts = await Promise.all(
    [1, 2].map((n) => road.receiveMail(acme, support, mail({ from, subject: `${n}` }))),
  );
  await Promise.all(receipts.map((receipt) => road.runOf(acme, receipt)));
  const [one, other] = await inAcme((em) => em.find(Message, { receiptId: { $in: receipts } }));
  await inThisMoment(
    road.db,
    acme.tenantId,
    async (em) => em.create(SenderRule, { pattern: from, verdict: 'block' }),
    () => acme.owner.api.correctKind({ params: { id: other!.id }, body: { kind: 'spam' } }),
  );
  await acme.owner.api.correctKind({ params: { id: one!.id }, body: { kind: 'spam' } });
  const spam = await inAcme((em) => em.find(Conversation, { status: 'spam' }));
  expect(spam.map(({ id }) => id).sort()).toEqual([one!.conversationId, other!.conversationId].sort());
});

describe('a mailbox', () => {
  test('keeps what two admins change of it in one moment', async () => {
    await inThisMoment(
      road.db,
      acme.tenantId,
      async (em) => {
        const mailbox = await em.findOneOrFail(Integration, { id: support });
        mailbox.settings = { ...mailbox.mailboxSettings(), folders: ['INBOX', 'Devis'] };
      },
      () => acme.owner.api.changeIntegration({ params: { id: support }, body: { senderName: 'Le support' } }),
    );
    const { settings } = await inAcme((em) => em.findOneOrFail(Integration, { id: support }));
    expect(settings).toMatchObject({ senderName: 'Le support', folders: ['INBOX', 'Devis'] });
  });

  test('has its older mail fetched once, whoever asks in one moment', async () => {
    await expect(
      inThisMoment(
        road.db,
        acme.tenantId,
        async (em) => {
          // As the other admin's request does.
          await em.execute('select from integration where id = ? for update', [support]);
          em.create(Sync, { integrationId: support, trigger: 'backfill' });
        },
        () => acme.owner.api.startBackfill({ params: { id: support }, body: { since: '2025-01-01' } }),
      ),
    ).rejects.toMatchObject({ problem: { status: 409, code: 'backfill.running' } });
  });

  test('that is connected again goes on within the limits it was given', async () => {
    const sendingLimit = { count: 7, per: 'day' } as const;
    await acme.owner.api.changeIntegration({ params: { id: support }, body: { sendingLimit, subaddresses: true } });
    const { settings, address } = await inAcme((em) => em.findOneOrFail(Integration, { id: support }));
    const { imap, smtp } = settings as { imap: object; smtp: object };
    const trialId = newId();
    await inAcme(async (em) => {
      openTrial(em, road.keys, acme.tenantId, {
        id: trialId,
        kind: 'mailbox',
        input: { address, imap, smtp, password: 'new' },
      });
      await em.flush();
      const trial = await em.findOneOrFail(Trial, { id: trialId });
      trial.conclude(road.keys, 'passed', { problems: [], folders: ['INBOX'], junk: null, mails: [], total: 0 });
    });
    const connected = await acme.owner.api.connectMailbox({
      body: {
        trialId,
        name: 'Support',
        since: '2026-01-01',
        folders: ['INBOX'],
        readJunk: false,
        syncEverySeconds: 86_400,
        senderName: 'Acme',
      },
    });
    expect(connected.id).toBe(support);
    const now = await inAcme((em) => em.findOneOrFail(Integration, { id: support }));
    expect(now.settings).toMatchObject({ sendingLimit, subaddresses: true, senderName: 'Acme' });
  });
});

test('a new folder comes after all others, also when one was removed', async () => {
  const created = [];
  for (const name of ['Un', 'Deux', 'Trois']) created.push(await acme.owner.api.createFolder({ body: { name } }));
  await acme.owner.api.removeFolder({ params: { id: created[0]!.id } });
  await acme.owner.api.createFolder({ body: { name: 'Autre' } });
  const { folders } = await acme.owner.api.listFolders();
  expect(folders.map(({ name }) => name).slice(-3)).toEqual(['Deux', 'Trois', 'Autre']);
});

test('a conversation moved into a folder that is removed in this moment is told so', async () => {
  const { id: folderId } = await acme.owner.api.createFolder({ body: { name: 'Disparu' } });
  const receipt = await road.receiveMail(acme, support, mail({ from: 'ailleurs@example.net' }));
  await road.runOf(acme, receipt);
  const { conversationId: id } = await inAcme((em) => em.findOneOrFail(Message, { receiptId: receipt }));
  await expect(
    inThisMoment(
      road.db,
      acme.tenantId,
      (em) => em.nativeDelete(Folder, { id: folderId }),
      () => acme.owner.api.moveConversation({ params: { id }, body: { folderId } }),
    ),
  ).rejects.toMatchObject({ problem: { status: 404, code: 'folder.not-found' } });
});
