import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Message } from '#domain/conversations/message.ts';
import { workflowIds } from '#workflows/contract.ts';
import { decideDraft } from '#workflows/review-draft.ts';
import { mail } from '../support/mails.ts';
import { ModelServer } from '../support/model-server.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let model: ModelServer;
let acme: Company;
let maya: Person;
let tom: Person;
let support: string;

beforeAll(async () => {
  road = await Road.open();
  model = await ModelServer.open();
  acme = await road.company('acme');
  maya = await road.person(acme, 'agent', 'Maya');
  tom = await road.person(acme, 'agent', 'Tom');
  support = await road.mailbox(acme, 'support@acme.test');
  await acme.owner.api.changeAnswering({
    body: { prompt: 'Acme.', modelBaseUrl: model.url, modelName: 'm', modelKey: 'sk', modelEnabled: true },
  });
  for (const deadlineAction of ['remind', 'escalate', 'send', 'discard'] as const) {
    await acme.owner.api.createFolder({
      body: {
        name: deadlineAction,
        replyMode: 'validation',
        deadlineSeconds: 1,
        deadlineAction,
        ...(deadlineAction === 'escalate' ? { escalateTo: tom.id } : {}),
        rules: [{ field: 'subject', operator: 'contains', value: deadlineAction }],
      },
    });
  }
  await acme.owner.api.createFolder({
    body: {
      name: 'Patient',
      replyMode: 'validation',
      rules: [{ field: 'subject', operator: 'contains', value: 'patient' }],
    },
  });
});

afterAll(async () => {
  await road?.close();
  await model?.close();
});

let people = 0;
async function write(subject: string, parts: Parameters<typeof mail>[0] = {}) {
  people += 1;
  const from = parts.from ?? `camille${people}@example.com`;
  const receiptId = await road.receiveMail(acme, support, mail({ ...parts, subject, from }));
  const message = await until('the message is recorded', () =>
    road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { receiptId })),
  );
  const view = () => maya.api.getConversation({ params: { id: message.conversationId } });
  const draft = await until('a draft waits', async () => (await view()).draft);
  return { from, receiptId, draft, view, run: () => road.runOf(acme, receiptId) };
}

describe('a deadline that passes', () => {
  test('reminds, and the draft goes on waiting', async () => {
    const { draft, view } = await write('remind me');
    const reminded = await until('the reminder is there', async () => {
      const { draft: now } = await view();
      return now?.remindedAt && now;
    });
    expect(reminded).toMatchObject({ id: draft.id, state: 'waiting', deadlineAt: null });
  });

  test('escalates: the conversation becomes urgent and somebody is called', async () => {
    const { view } = await write('escalate this');
    await until('it is urgent', async () => (await view()).status === 'urgent');
    expect(await view()).toMatchObject({ assigneeId: tom.id });
    const { rows } = await road.db.owner.query(`select details from event where name = 'draft.escalated'`);
    expect(rows).toMatchObject([{ details: { to: tom.id } }]);
  });

  test('sends what the model wrote, marked as automatic', async () => {
    const { from, run } = await write('send by itself');
    expect(await run()).toEqual({ stage: 'done', reason: 'sent' });
    expect(road.sink.to(from)[0]?.mail.headers.get('auto-submitted')).toBe('auto-replied');
  });

  test.each([
    ['a sender who wants no automatic answer', { headers: { 'X-Auto-Response-Suppress': 'All' } }],
    ['a sender who has the answer go to somebody else', { headers: { 'Reply-To': 'victim@elsewhere.test' } }],
  ])('sends nothing to %s: it reminds', async (_who, parts) => {
    const { from, view } = await write('send nothing', parts);
    const reminded = await until('the reminder is there', async () => {
      const { draft } = await view();
      return draft?.remindedAt ? draft : null;
    });
    expect(reminded.caution).not.toBeNull();
    expect(
      road.sink.accepted.filter((sent) => sent.to.includes(from) || sent.to.includes('victim@elsewhere.test')),
    ).toEqual([]);
  });

  test('discards, and nothing is sent', async () => {
    const { from, run } = await write('discard later');
    expect(await run()).toEqual({ stage: 'done', reason: 'discarded' });
    expect(road.sink.to(from)).toEqual([]);
  });

  test('survives a restart of the workers in the middle', async () => {
    const { from, run } = await write('send after restart');
    await road.stopWorkers();
    await road.startWorkers();
    expect(await run()).toEqual({ stage: 'done', reason: 'sent' });
    expect(road.sink.to(from)).toHaveLength(1);
  });
});

describe('a waiting draft', () => {
  test('that an agent discards ends the run, and no one is written to', async () => {
    const { from, draft, run } = await write('patient un');
    await maya.api.discardDraft({ params: { id: draft.id } });
    expect(await run()).toEqual({ stage: 'done', reason: 'discarded' });
    expect(road.sink.to(from)).toEqual([]);
  });

  test('that two agents approve is sent once, and the second is told who did and when', async () => {
    const { from, draft, run } = await write('patient deux');
    await maya.api.approveDraft({ params: { id: draft.id }, body: { version: 1 } });
    const refusal = await tom.api
      .approveDraft({ params: { id: draft.id }, body: { version: 1 } })
      .catch((error) => error.problem);
    expect(refusal).toMatchObject({
      status: 409,
      code: 'draft.already-decided',
      details: { by: maya.id, byKind: 'person' },
    });
    expect(await run()).toEqual({ stage: 'done', reason: 'sent' });
    expect(road.sink.to(from)).toHaveLength(1);
  });

  test('is superseded by a reply an agent writes by hand', async () => {
    const { from, run, view } = await write('patient trois');
    await tom.api.writeReply({ params: { id: (await view()).id }, body: { text: 'Je m’en occupe moi-même.' } });
    expect(await run()).toEqual({ stage: 'done', reason: 'superseded' });
    const mails = await until('the reply arrives', () => road.sink.to(from).length > 0 && road.sink.to(from));
    expect(mails.map((sent) => sent.mail.text?.trim())).toEqual(['Je m’en occupe moi-même.']);
  });

  test('can be decided by an operator through Temporal, and then by nobody else', async () => {
    const { from, draft, receiptId, run } = await write('patient quatre');
    const handle = road.temporal.client.workflow.getHandle(workflowIds.receiveMessage(acme.tenantId, receiptId));
    await handle.signal(decideDraft, { decision: 'approve' });
    expect(await run()).toEqual({ stage: 'done', reason: 'sent' });
    await expect(maya.api.approveDraft({ params: { id: draft.id }, body: { version: 1 } })).rejects.toMatchObject({
      problem: { status: 409 },
    });
    expect(road.sink.to(from)).toHaveLength(1);
  });

  test('whose run an operator has terminated is still sent when it is approved', async () => {
    const { from, draft, receiptId } = await write('patient cinq');
    await road.temporal.client.workflow
      .getHandle(workflowIds.receiveMessage(acme.tenantId, receiptId))
      .terminate('an operator');
    await maya.api.approveDraft({ params: { id: draft.id }, body: { version: 1 } });
    await until('the mail arrives', () => road.sink.to(from).length === 1);
  });

  test('hears of a decision that was taken while no worker ran', async () => {
    const { from, draft, run } = await write('patient six');
    await road.stopWorkers();
    await maya.api.approveDraft({ params: { id: draft.id }, body: { version: 1, text: 'Pendant la panne.' } });
    await road.startWorkers();
    expect(await run()).toEqual({ stage: 'done', reason: 'sent' });
    expect(road.sink.to(from).map((sent) => sent.mail.text?.trim())).toEqual(['Pendant la panne.']);
  });

  test('keeps its word of caution when it is written again', async () => {
    model.behaviour.draft = () => ({ answer: 'Voici mon invite.', articles: [], manipulation: true });
    const { draft, view } = await write('patient méfiant');
    expect(draft.caution).toBe('suspicious');
    model.behaviour.draft = () => ({ answer: 'Une autre réponse.', articles: [], manipulation: false });
    await maya.api.regenerateDraft({ params: { id: draft.id }, body: { instruction: 'plus court' } });
    const again = await until('it was written again', async () => {
      const { draft: now } = await view();
      return now?.state === 'waiting' && now.version > draft.version && now;
    });
    expect(again).toMatchObject({ text: 'Une autre réponse.', caution: 'suspicious' });
  });

  test('can be written again although its conversation has left the folder', async () => {
    const { draft, view } = await write('patient déplacé');
    await maya.api.moveConversation({ params: { id: (await view()).id }, body: { folderId: null } });
    await maya.api.regenerateDraft({ params: { id: draft.id }, body: { instruction: 'autrement' } });
    await until('it waits again', async () => {
      const { draft: now } = await view();
      return now?.state === 'waiting' && now.version > draft.version;
    });
  });

  test.each(['resolved', 'archived', 'spam'] as const)(
    'is superseded when its conversation is set to %s, and nothing is sent',
    async (status) => {
      const { from, run, view } = await write(`patient ${status}`);
      await maya.api.changeStatus({ params: { id: (await view()).id }, body: { status } });
      expect(await run()).toEqual({ stage: 'done', reason: 'superseded' });
      expect(await view()).toMatchObject({ draft: null, status });
      expect(road.sink.to(from)).toEqual([]);
    },
  );

  test('is not touched by a signal that is no decision', async () => {
    const { draft, receiptId, view } = await write('patient sourd');
    const handle = road.temporal.client.workflow.getHandle(workflowIds.receiveMessage(acme.tenantId, receiptId));
    await handle.signal('decideDraft', { decision: 'explode', by: 'nobody' });
    await handle.signal(decideDraft, { decision: 'discard' });
    await until('the second signal was heard', async () => (await view()).draft === null);
    const { rows } = await road.db.owner.query('select decision, version from draft where id = $1', [draft.id]);
    expect(rows).toEqual([{ decision: 'discard', version: 1 }]);
  });

  test('of another company cannot be decided', async () => {
    const { draft } = await write('patient sept');
    const globex = await road.company('globex');
    const attempts = await Promise.allSettled([
      globex.owner.api.approveDraft({ params: { id: draft.id }, body: { version: 1 } }),
      globex.owner.api.discardDraft({ params: { id: draft.id } }),
      globex.owner.api.regenerateDraft({ params: { id: draft.id }, body: { instruction: 'x' } }),
    ]);
    expect(attempts.map((attempt) => attempt.status === 'rejected' && attempt.reason.problem.status)).toEqual([
      404, 404, 404,
    ]);
  });
});
