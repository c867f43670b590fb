import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EntityManager } from '@mikro-orm/postgresql';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createClassifying } from '#activities/classifying.ts';
import { type Dependencies, PATIENCE } from '#activities/dependencies.ts';
import { createHousekeeping } from '#activities/housekeeping.ts';
import { createMailbox } from '#activities/mailbox.ts';
import { createReclassifying } from '#activities/reclassifying.ts';
import { createScheduling } from '#activities/scheduling.ts';
import { createSending } from '#activities/sending.ts';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';
import { Conversation } from '#domain/conversations/conversation.ts';
import { hearReceipt } from '#domain/conversations/delivery-receipt.ts';
import { Folder, RuleFilter } from '#domain/conversations/folder.ts';
import { Message } from '#domain/conversations/message.ts';
import { beginAttempt, markHandedOver, Reply } from '#domain/conversations/reply.ts';
import { forgetUploads, Upload } from '#domain/conversations/upload.ts';
import type { Database } from '#domain/database/orm.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { keepMailboxSecret } from '#domain/integrations/keep-mailbox-secret.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { RunRequest } from '#domain/record/run-request.ts';
import { KeyRing } from '#domain/secrets/key-ring.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { workflowIds } from '#workflows/contract.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';
import { inThisMoment } from '../support/in-this-moment.ts';
import { TEST_KEY } from '../support/road.ts';
import { createConversation, createMailbox as mailboxRow } from '../support/story.ts';
import { type TestTemporal, testTemporal } from '../support/temporal.ts';

let db: TestDatabase;
let temporal: TestTemporal;
let acme: string;
let dependencies: Dependencies;
const keys = new KeyRing(TEST_KEY);

beforeAll(async () => {
  [db, temporal] = await Promise.all([testDatabase(), testTemporal()]);
  acme = await createTenant(db.database, 'acme');
  dependencies = { database: db.database, keys, temporal: temporal.client, patience: PATIENCE } as Dependencies;
});

afterAll(async () => {
  await temporal?.close();
  await db?.close();
});

const inAcme = <Result>(work: (em: EntityManager) => Promise<Result>) => db.database.inTenant(acme, work);

describe('a person who moves a conversation', () => {
  async function unsorted(subject: string) {
    return inAcme(async (em) => {
      const { conversation, message } = await createConversation(em, acme, `${newId()}@example.com`, subject);
      const [byRule, byHand] = ['rule', 'hand'].map((name, at) =>
        em.create(Folder, { id: newId(), name: `${subject} ${name}`, position: at + 1 }),
      );
      const condition = { field: 'subject', operator: 'contains', value: subject } as const;
      em.create(RuleFilter, { folderId: byRule!.id, position: 1, condition });
      return { conversationId: conversation.id, messageId: message.id, byRule: byRule!.id, byHand: byHand!.id };
    });
  }

  const moved = (conversationId: string, folderId: string) => async (em: EntityManager) => {
    (await em.findOneOrFail(Conversation, { id: conversationId })).sortInto(folderId, 'person');
  };

  const folderOf = async (id: string) => (await inAcme((em) => em.findOneOrFail(Conversation, { id }))).folderId;

  test('is not overruled by rules that are tried in this moment', async () => {
    const { conversationId, byHand } = await unsorted('devis');
    await inThisMoment(db, acme, moved(conversationId, byHand), () =>
      createReclassifying(dependencies).sortFolderlessPage({ tenantId: acme, after: null }),
    );
    expect(await folderOf(conversationId)).toBe(byHand);
  });

  test('is not overruled by the run that brought the message', async () => {
    const { conversationId, messageId, byRule, byHand } = await unsorted('facture');
    const sorting = { tenantId: acme, messageId, folderId: byRule, by: 'rule', rule: 1 } as const;
    await inThisMoment(db, acme, moved(conversationId, byHand), () =>
      new MockActivityEnvironment().run(createClassifying(dependencies).sortConversation, sorting),
    );
    expect(await folderOf(conversationId)).toBe(byHand);
  });
});

describe('a receipt of the provider that comes while its answer is written down', () => {
  async function handedOver() {
    const token = newId();
    const reply = await inAcme(async (em) => {
      const { conversation, mailbox } = await createConversation(em, acme, `${newId()}@example.com`);
      const message = em.create(Message, {
        id: newId(),
        conversationId: conversation.id,
        direction: 'outbound',
        channel: 'sms',
        integrationId: mailbox.id,
        runId: 'r',
        references: [],
        sender: { address: null, name: null },
        recipients: ['+33600000000'],
        cc: [],
        subject: '',
        text: 'Bonjour',
        newText: 'Bonjour',
        sentAt: new Date(),
      });
      const row = em.create(Reply, {
        id: newId(),
        conversationId: conversation.id,
        messageId: message.id,
        messageIdHeader: newId(),
        authorKind: 'system',
        notBefore: new Date(),
      });
      await em.flush();
      await beginAttempt(em, row.id, token);
      await markHandedOver(em, row.id, token);
      return row;
    });
    return { replyId: reply.id, token };
  }

  test.each([['with our reference'], ['without']])('is not lost, %s', async (reference) => {
    const { replyId, token } = await handedOver();
    const providerId = newId();
    const told = {
      providerId,
      replyId: reference === 'without' ? null : replyId,
      status: 'failed',
      failure: 'Absent',
    } as const;
    // The steps in a transaction that is not over yet.
    const conclude = async (em: EntityManager) => {
      const database = { inTenant: (_tenant: string, work: (em: EntityManager) => unknown) => work(em) };
      const { concludeAttempt } = createSending({ ...dependencies, database: database as unknown as Database });
      const end = { outcome: 'sent', response: '', providerId } as const;
      await new MockActivityEnvironment().run(concludeAttempt, { tenantId: acme, replyId, token, end });
    };
    await inThisMoment(db, acme, conclude, () => inAcme((em) => hearReceipt(em, acme, told)));
    expect(await inAcme((em) => em.findOneOrFail(Reply, { id: replyId }))).toMatchObject({
      state: 'failed',
      failure: 'not-delivered',
      deliveryFailure: 'Absent',
    });
  });
});

describe('a mailbox', () => {
  const connected = (state: Integration['state'] = 'active') =>
    inAcme(async (em) => {
      const mailbox = mailboxRow(em, `${newId()}@acme.test`);
      mailbox.state = state;
      await em.flush();
      await reconnect(em, mailbox);
      return mailbox.id;
    });

  async function reconnect(em: EntityManager, mailbox: Integration): Promise<void> {
    const { imap, smtp } = mailbox.mailboxSettings();
    await keepMailboxSecret(em, keys, mailbox, { address: mailbox.address, imap, smtp, password: 'right' });
  }

  const row = (id: string) => inAcme((em) => em.findOneOrFail(Integration, { id }));
  const refused = { problem: 'The server refused the password.', needsPerson: true };

  test('is lost when its password is refused', async () => {
    const ref = { tenantId: acme, integrationId: await connected(), syncId: newId(), byHand: false };
    const { beginSync, finishSync } = createMailbox(dependencies);
    await beginSync(ref);
    await finishSync({ ...ref, ...refused });
    expect((await row(ref.integrationId)).state).toBe('reconnect');
  });

  test('that was given a new password is not lost because a look had begun with the one before', async () => {
    const ref = { tenantId: acme, integrationId: await connected(), syncId: newId(), byHand: false };
    const { beginSync, finishSync } = createMailbox(dependencies);
    await beginSync(ref);
    await inAcme(async (em) => reconnect(em, await em.findOneOrFail(Integration, { id: ref.integrationId })));
    await finishSync({ ...ref, ...refused });
    expect(await row(ref.integrationId)).toMatchObject({ state: 'active', lastError: null, syncingUntil: null });
  });

  test('that a person pauses stays paused, whatever a look by hand comes to', async () => {
    const ref = { tenantId: acme, integrationId: await connected('reconnect'), syncId: newId(), byHand: true };
    const { beginSync, finishSync } = createMailbox(dependencies);
    await beginSync(ref);
    await inThisMoment(
      db,
      acme,
      async (em) => em.nativeUpdate(Integration, { id: ref.integrationId }, { state: 'paused' }),
      () => finishSync({ ...ref, problem: null, needsPerson: false }),
    );
    expect((await row(ref.integrationId)).state).toBe('paused');
  });

  test('has the schedule its row says, though two changes of it are applied in one moment', async () => {
    const integrationId = await connected();
    const ref = { tenantId: acme, integrationId };
    const { applyIntegration } = createScheduling(dependencies);
    await applyIntegration(ref);
    let reads = 0;
    const inTenant: Database['inTenant'] = async (tenantId, work) => {
      const read = await db.database.inTenant(tenantId, work);
      reads += 1;
      if (reads === 1) {
        await inAcme((em) => em.nativeUpdate(Integration, { id: integrationId }, { state: 'paused' }));
        await applyIntegration(ref);
      }
      return read;
    };
    await createScheduling({ ...dependencies, database: { inTenant } as Database }).applyIntegration(ref);
    const schedule = temporal.client.schedule.getHandle(workflowIds.syncSchedule(acme, integrationId));
    expect((await schedule.describe()).state.paused).toBe(true);
  });
});

describe('housekeeping', () => {
  const A_MINUTE_MS = 60_000;
  const ago = (minutes: number) => new Date(Date.now() - minutes * A_MINUTE_MS);

  const asked = async (workflowId: string) => {
    await inAcme((em) => em.nativeDelete(RunRequest, {}));
    await createHousekeeping(dependencies).remindOfForgotten({ tenantId: acme });
    return (await inAcme((em) => em.find(RunRequest, { workflowId }))).map(({ kind }) => kind);
  };

  test('starts the run of a reply that was forgotten, and never wakes one that rests between two tries', async () => {
    const replyId = await inAcme(async (em) => {
      const { conversation, message } = await createConversation(em, acme, `${newId()}@example.com`);
      const reply = em.create(Reply, {
        id: newId(),
        conversationId: conversation.id,
        messageId: message.id,
        messageIdHeader: newId(),
        authorKind: 'system',
        notBefore: ago(30),
        attemptedAt: ago(14),
      });
      return reply.id;
    });
    expect(await asked(workflowIds.sendReply(acme, replyId))).toEqual(['start']);
  });

  /** A message that was recorded and filtered, as far as its run came. */
  async function filtered(kindReason: string): Promise<string> {
    const receiptId = newId();
    await inAcme(async (em) => {
      const { message, mailbox } = await createConversation(em, acme, `${newId()}@example.com`);
      const shape = { integrationId: mailbox.id, sourceId: receiptId, format: 'email', origin: {} } as const;
      em.create(Receipt, { id: receiptId, ...shape, state: 'done', runs: 2, expiresAt: ago(-60) });
      em.assign(message, { receiptId, kindReason, createdAt: ago(5) });
    });
    return receiptId;
  }

  test('leaves alone what an agent took out of the newsletters', async () => {
    expect(await asked(workflowIds.receiveMessage(acme, await filtered('corrected'), 2))).toEqual([]);
  });

  test('keeps an upload that is given free again in the moment in which its time is over', async () => {
    const id = newId();
    const shape = { createdById: newId(), name: 'plan.pdf', type: 'application/pdf', size: 1, sha256: 'a'.repeat(64) };
    await inAcme(async (em) => em.create(Upload, { id, ...shape, expiresAt: ago(1) }));
    const nothing = { removeUnused: async () => {} } as unknown as AttachmentStore;
    await inThisMoment(
      db,
      acme,
      async (em) => em.nativeUpdate(Upload, { id }, { expiresAt: ago(-60) }),
      () => inAcme((em) => forgetUploads(em, nothing, new Date())),
    );
    expect(await inAcme((em) => em.count(Upload, { id }))).toBe(1);
  });

  test('takes up a message whose run was lost after it was filtered, by the run it had', async () => {
    const receiptId = await filtered('written');
    expect(await asked(workflowIds.receiveMessage(acme, receiptId, 2))).toEqual(['start']);
    await db.owner.query(
      `insert into step (id, tenant_id, created_at, run_id, execution_id, activity_id, name, outcome, facts, evidence,
                         duration_ms, conversation_id, message_id)
       select gen_random_uuid(), tenant_id, now(), 'r', 'e', 'a', 'decideReply', 'none', '{}', '[]', 0, conversation_id, id
         from message where receipt_id = $1`,
      [receiptId],
    );
    expect(await asked(workflowIds.receiveMessage(acme, receiptId, 2))).toEqual([]);
  });
});
