import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Message } from '#domain/conversations/message.ts';
import { workflowIds } from '#workflows/contract.ts';
import { Answers } from '../support/answers.ts';
import { mail } from '../support/mails.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let acme: Company;
let maya: Person;
let support: string;
let answers: Answers;

beforeAll(async () => {
  road = await Road.open({ undoMs: 700 });
  acme = await road.company('acme');
  maya = await road.person(acme, 'agent', 'Maya');
  support = await road.mailbox(acme, 'support@acme.test');
  answers = new Answers(road, acme, support);
});

beforeEach(() => {
  road.sink.faults.length = 0;
});

afterAll(() => road?.close());

const reply = (text = 'Bonjour Camille.') => answers.write(maya, { text });

describe('a reply', () => {
  test('can be taken back until it leaves, and then no more', async () => {
    const first = await reply();
    await maya.api.cancelReply({ params: { id: first.replyId } });
    const second = await reply();
    await second.inState('sent');
    await expect(maya.api.cancelReply({ params: { id: second.replyId } })).rejects.toMatchObject({
      problem: { status: 409, code: 'reply.settled' },
    });
    const handle = road.temporal.client.workflow.getHandle(workflowIds.sendReply(acme.tenantId, first.replyId));
    expect(await handle.result()).toEqual({ state: 'cancelled' });
    expect(first.mails()).toEqual([]);
  });

  test('leaves in its thread with a stable identity, and the client’s answer comes back to it', async () => {
    const { from, conversationId, inState, mails } = await reply('Voici votre réponse.');
    const { messageIdHeader } = await inState('sent');
    const [sent] = mails();
    expect(sent).toMatchObject({ from: 'support@acme.test', to: [from] });
    expect(sent?.mail.messageId).toBe(`<${messageIdHeader}>`);
    expect(sent?.mail.subject).toMatch(/^Re: Question/);
    expect(sent?.mail.references).toBe(sent?.mail.inReplyTo);
    expect(sent?.mail.html).toContain('<p>Voici votre réponse.</p>');
    const answer = await road.receiveMail(
      acme,
      support,
      mail({ from, subject: 'Merci', headers: { References: `<${messageIdHeader}>` } }),
    );
    await road.runOf(acme, answer);
    const joined = await road.db.database.inTenant(acme.tenantId, (em) =>
      em.findOneOrFail(Message, { receiptId: answer }),
    );
    expect(joined.conversationId).toBe(conversationId);
  });

  test('is tried again when the server asks for it (451), with the same Message-ID, and arrives once', async () => {
    road.sink.faults.push(
      { at: 'data', code: 451, text: '4.3.0 try again later' },
      { at: 'rcpt', code: 450, text: '4.2.0 busy' },
    );
    const { inState, mails } = await reply();
    const sent = await inState('sent');
    expect(sent.attempts).toBe(3);
    expect(mails()).toHaveLength(1);
  });

  test('that the server refuses (550) fails with the reason, stands in the outbox, and can be tried again', async () => {
    road.sink.faults.push({ at: 'rcpt', code: 550, text: '5.1.1 User unknown' });
    const { replyId, inState, mails } = await reply();
    expect(await inState('failed')).toMatchObject({
      failure: 'recipient-refused',
      lastResponse: expect.stringContaining('User unknown'),
    });
    const { items } = await maya.api.listOutbox({ query: { state: 'needs-person' } });
    expect(items.find((item) => item.id === replyId)).toMatchObject({ state: 'failed', failure: 'recipient-refused' });
    await maya.api.judgeReply({ params: { id: replyId }, body: { verdict: 'send-again' } });
    await inState('sent');
    expect(mails()).toHaveLength(1);
  });
});

describe('a connection lost after the final dot', () => {
  test('leaves the outcome unknown, and nothing is sent again by itself', async () => {
    road.sink.faults.push({ at: 'dot', lost: 'after-accepting' });
    const { replyId, inState, mails } = await reply();
    expect(await inState('unknown')).toMatchObject({ failure: 'outcome-unknown', attempts: 1 });
    const { items } = await maya.api.listOutbox({ query: { state: 'needs-person' } });
    expect(items.map((item) => item.id)).toContain(replyId);
    await maya.api.judgeReply({ params: { id: replyId }, body: { verdict: 'it-was-sent' } });
    const handle = road.temporal.client.workflow.getHandle(workflowIds.sendReply(acme.tenantId, replyId));
    expect(await handle.result()).toEqual({ state: 'sent' });
    expect(mails()).toHaveLength(1);
  });

  test('is settled by a person who has it sent again', async () => {
    road.sink.faults.push({ at: 'dot', lost: 'before-accepting' });
    const { replyId, inState, mails } = await reply();
    await inState('unknown');
    await maya.api.judgeReply({ params: { id: replyId }, body: { verdict: 'send-again' } });
    await inState('sent');
    expect(mails()).toHaveLength(1);
  });
});

describe('the mail server away', () => {
  const COUNT = process.env.TEST_SIZE === 'long' ? 100 : 5;

  test(
    'keeps every reply until it is back, and then each leaves once',
    async () => {
      const { port } = road.sink;
      await acme.owner.api.changeIntegration({
        params: { id: support },
        body: { sendingLimit: { count: 10_000, per: 'minute' } },
      });
      await road.sink.close();
      const replies: Awaited<ReturnType<typeof reply>>[] = [];
      for (let count = 0; count < COUNT; count += 1) replies.push(await reply());
      for (const { row } of replies) {
        await until('it has been tried twice', async () => (await row()).attempts >= 2, 120_000);
        expect(await row()).toMatchObject({ failure: 'server-unreachable' });
      }
      await road.reopenSink(port);
      for (const { inState } of replies) await inState('sent', 120_000);
      expect(replies.map(({ mails }) => mails().length)).toEqual(Array(COUNT).fill(1));
    },
    30_000 + COUNT * 10_000,
  );
});
