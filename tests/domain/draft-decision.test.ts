import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Conversation } from '#domain/conversations/conversation.ts';
import { claimDraft, Draft } from '#domain/conversations/draft.ts';
import {
  approveDraft,
  discardDraft,
  regenerateDraft,
  settleUnheardDecision,
  supersedeWaitingDraft,
} from '#domain/conversations/draft-decision.ts';
import { Message } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { Conflict, NotFound } from '#domain/errors.ts';
import type { Actor } from '#domain/people/actor.ts';
import { AuditEvent } from '#domain/record/audit-event.ts';
import { RunRequest } from '#domain/record/run-request.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';
import { createWaitingDraft } from '../support/story.ts';

let db: TestDatabase;
let acme: string;
let globex: string;
const maya: Actor = { kind: 'person', id: newId(), ip: '192.0.2.1' };
const tom: Actor = { kind: 'person', id: newId() };
const accounts = { installationFrom: null };

beforeAll(async () => {
  db = await testDatabase();
  acme = await createTenant(db.database, 'acme');
  globex = await createTenant(db.database, 'globex');
});

afterAll(() => db?.close());

let clients = 0;
async function waitingDraft() {
  clients += 1;
  return db.database.inTenant(acme, async (em) => {
    const { draft, conversation, message } = await createWaitingDraft(em, acme, `camille${clients}@example.com`);
    return { draftId: draft.id, conversationId: conversation.id, messageId: message.id, runId: draft.runId };
  });
}

function approve(draftId: string, actor: Actor, text: string | null = null, version: number | null = 1) {
  return db.database.inTenant(acme, (em) =>
    approveDraft(em, { draftId, actor, version, text, automatic: false, undoMs: 10_000, accounts }),
  );
}

describe('approving', () => {
  test('writes one reply in the thread, tells the waiting run and leaves an audit row, all in one transaction', async () => {
    const { draftId, conversationId, messageId, runId } = await waitingDraft();
    const reply = await approve(draftId, maya, 'Bonjour, elle arrive demain.');
    await db.database.inTenant(acme, async (em) => {
      const message = await em.findOneOrFail(Message, { id: reply.messageId });
      const answered = await em.findOneOrFail(Message, { id: messageId });
      expect(message).toMatchObject({
        direction: 'outbound',
        newText: 'Bonjour, elle arrive demain.',
        subject: 'Re: Bonjour',
      });
      expect(message.inReplyTo).toBe(answered.externalId);
      expect(message.references).toEqual([answered.externalId]);
      expect(await em.findOneOrFail(Draft, { id: draftId })).toMatchObject({ state: 'approved', replyId: reply.id });
      expect(await em.findOneOrFail(Conversation, { id: conversationId })).toMatchObject({
        status: 'in_progress',
        waitingDraftId: null,
      });
      const asked = await em.find(RunRequest, { workflowId: runId });
      expect(asked).toMatchObject([{ kind: 'signal', name: 'draftDecided', input: { draftId } }]);
      const [trace] = await em.find(AuditEvent, { action: 'draft.approved', subjectId: draftId });
      expect(trace).toMatchObject({
        actorKind: 'person',
        actorId: maya.kind === 'person' ? maya.id : '',
        ip: '192.0.2.1',
      });
    });
  });

  test('tells a second agent who already sent the draft, and sends nothing more', async () => {
    const { draftId, conversationId } = await waitingDraft();
    await approve(draftId, maya);
    const refusal = await approve(draftId, tom).catch((error) => error);
    expect(refusal).toBeInstanceOf(Conflict);
    expect(refusal.code).toBe('draft.already-decided');
    expect(refusal.details).toMatchObject({ by: maya.kind === 'person' ? maya.id : '', byKind: 'person' });
    expect(Date.parse(refusal.details.at)).toBeGreaterThan(Date.now() - 60_000);
    expect(await db.database.inTenant(acme, (em) => em.count(Reply, { conversationId }))).toBe(1);
  });

  test('of twenty agents at once sends one reply', async () => {
    const { draftId, conversationId } = await waitingDraft();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => approve(draftId, index % 2 ? maya : tom)),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(await db.database.inTenant(acme, (em) => em.count(Reply, { conversationId }))).toBe(1);
  });

  test('of a text that was written again meanwhile is refused', async () => {
    const { draftId } = await waitingDraft();
    await db.database.inTenant(acme, (em) => em.nativeUpdate(Draft, { id: draftId }, { version: 2 }));
    await expect(approve(draftId, maya, null, 1)).rejects.toMatchObject({
      code: 'draft.changed',
      details: { version: 2 },
    });
  });

  test('cannot be done by another company', async () => {
    const { draftId } = await waitingDraft();
    const attempt = db.database.inTenant(globex, (em) =>
      approveDraft(em, { draftId, actor: tom, version: 1, text: null, automatic: false, undoMs: 0, accounts }),
    );
    await expect(attempt).rejects.toBeInstanceOf(NotFound);
  });

  test('leaves nothing behind when the reply cannot be written', async () => {
    const { draftId, conversationId } = await waitingDraft();
    await db.owner.query(`update integration set removed_at = now() where tenant_id = $1`, [acme]);
    await expect(approve(draftId, maya)).rejects.toMatchObject({ code: 'reply.no-account' });
    await db.owner.query(`update integration set removed_at = null where tenant_id = $1`, [acme]);
    await db.database.inTenant(acme, async (em) => {
      expect(await em.findOneOrFail(Draft, { id: draftId })).toMatchObject({ state: 'waiting', decisionId: null });
      expect(await em.count(Reply, { conversationId })).toBe(0);
    });
  });
});

describe('the draft', () => {
  test('that was discarded can no longer be approved', async () => {
    const { draftId } = await waitingDraft();
    await db.database.inTenant(acme, (em) => discardDraft(em, draftId, tom));
    await expect(approve(draftId, maya)).rejects.toMatchObject({
      code: 'draft.already-decided',
      details: { decision: 'discard' },
    });
  });

  test('that is being written again waits for its new text, and a newer message still supersedes it', async () => {
    const { draftId, conversationId } = await waitingDraft();
    await db.database.inTenant(acme, (em) => regenerateDraft(em, draftId, maya, 'plus court'));
    await expect(approve(draftId, tom)).rejects.toMatchObject({ code: 'draft.regenerating' });
    await db.database.inTenant(acme, async (em) => {
      const conversation = await em.findOneOrFail(Conversation, { id: conversationId });
      await supersedeWaitingDraft(em, conversation, { kind: 'client', id: conversation.clientId });
    });
    const draft = await db.database.inTenant(acme, (em) => em.findOneOrFail(Draft, { id: draftId }));
    expect(draft).toMatchObject({ state: 'superseded', decidedByKind: 'client' });
  });

  test('is superseded by nobody when it was approved in the same moment', async () => {
    const { draftId, conversationId } = await waitingDraft();
    const supersede = db.database.inTenant(acme, async (em) => {
      const conversation = await em.findOneOrFail(Conversation, { id: conversationId });
      await supersedeWaitingDraft(em, conversation, { kind: 'client', id: conversation.clientId });
    });
    const [approved] = await Promise.allSettled([approve(draftId, maya), supersede]);
    const draft = await db.database.inTenant(acme, (em) => em.findOneOrFail(Draft, { id: draftId }));
    const replies = await db.database.inTenant(acme, (em) => em.count(Reply, { conversationId }));
    expect([draft.state, approved.status, replies]).toEqual(
      draft.state === 'approved' ? ['approved', 'fulfilled', 1] : ['superseded', 'rejected', 0],
    );
  });

  test('is claimed by exactly one of two decisions whatever their order', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { draftId } = await waitingDraft();
      const claims = await Promise.all(
        (['approve', 'discard'] as const).map((decision) =>
          db.database.inTenant(acme, (em) => claimDraft(em, { draftId, decisionId: newId(), decision, actor: tom })),
        ),
      );
      expect(claims.filter(Boolean)).toHaveLength(1);
    }
  });

  test('whose waiting run is gone is carried out all the same', async () => {
    const { draftId } = await waitingDraft();
    const reply = await approve(draftId, maya);
    await db.database.inTenant(acme, (em) => settleUnheardDecision(em, draftId));
    const asked = await db.database.inTenant(acme, (em) => em.find(RunRequest, { kind: 'start', name: 'sendReply' }));
    expect(asked.map((request) => request.input)).toContainEqual({ tenantId: acme, replyId: reply.id });
  });
});
