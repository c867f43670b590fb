import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { workflowIds } from '#workflows/contract.ts';
import { Answers } from '../support/answers.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let acme: Company;
let maya: Person;
let answers: Answers;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  maya = await road.person(acme, 'agent', 'Maya');
  answers = new Answers(road, acme, await road.mailbox(acme, 'support@acme.test'));
});

afterAll(() => road?.close());

const later = (ms: number) => new Date(Date.now() + ms).toISOString();
const runOf = (replyId: string) =>
  road.temporal.client.workflow.getHandle(workflowIds.sendReply(acme.tenantId, replyId));
const isWaiting = (replyId: string) =>
  until('its run waits by a timer', async () => {
    const { events } = await runOf(replyId)
      .fetchHistory()
      .catch(() => ({ events: [] }));
    return events?.some((event) => event.timerStartedEventAttributes);
  });

test('a scheduled reply leaves at its moment though the workers were stopped meanwhile, dated by it', async () => {
  const notBefore = later(12_000);
  const { replyId, inState, mails, conversationId } = await answers.write(maya, { notBefore });
  await isWaiting(replyId);
  await road.stopWorkers();
  const view = await maya.api.getConversation({ params: { id: conversationId } });
  expect(view.messages.at(-1)).toMatchObject({
    sentAt: notBefore,
    reply: { state: 'approved', scheduled: true, notBefore },
  });
  const { items } = await maya.api.listOutbox({ query: { state: 'on-its-way' } });
  expect(items).toMatchObject([{ id: replyId, scheduled: true, notBefore }]);
  await road.startWorkers();
  const { sentAt } = await inState('sent');
  expect(sentAt!.getTime()).toBeGreaterThanOrEqual(new Date(notBefore).getTime());
  expect(mails()).toHaveLength(1);
  expect(Math.floor(mails()[0]!.mail.date!.getTime() / 1000)).toBe(Math.floor(new Date(notBefore).getTime() / 1000));
});

test('a scheduled reply can be sent at once, and then is dated so', async () => {
  const { replyId, inState, mails } = await answers.write(maya, { notBefore: later(3600_000) });
  await isWaiting(replyId);
  await maya.api.departReply({ params: { id: replyId } });
  await inState('sent');
  expect(mails()).toHaveLength(1);
  expect(mails()[0]!.mail.date!.getTime()).toBeLessThan(Date.now() + 1_000);
  await expect(maya.api.departReply({ params: { id: replyId } })).rejects.toMatchObject({ problem: { status: 409 } });
});

test('a scheduled reply can be taken back, and its run ends', async () => {
  const { replyId, row, mails } = await answers.write(maya, { notBefore: later(3600_000) });
  await isWaiting(replyId);
  await maya.api.cancelReply({ params: { id: replyId } });
  expect(await runOf(replyId).result()).toEqual({ state: 'cancelled' });
  expect((await row()).state).toBe('cancelled');
  expect(mails()).toEqual([]);
});

test('nothing can be scheduled for a moment that has passed', async () => {
  await expect(answers.write(maya, { notBefore: later(-1_000) })).rejects.toMatchObject({
    problem: { status: 422, code: 'reply.in-the-past' },
  });
});

test('another company can neither hasten nor take back a scheduled reply', async () => {
  const { owner } = await road.company('globex');
  const { replyId, row } = await answers.write(maya, { notBefore: later(3600_000) });
  const params = { id: replyId };
  await expect(owner.api.departReply({ params })).rejects.toMatchObject({ problem: { status: 404 } });
  await expect(owner.api.cancelReply({ params })).rejects.toMatchObject({ problem: { status: 404 } });
  expect((await row()).state).toBe('approved');
});
