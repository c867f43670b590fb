import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { Answers } from '../support/answers.ts';
import { type Company, Road } from '../support/road.ts';

// A mailbox that is removed and connected again, while conversations and scheduled replies of before go on.

let road: Road;
let acme: Company;
let before: string;
let answers: Answers;

beforeEach(async () => {
  road ??= await Road.open();
  acme ??= await road.company('acme');
  before = await road.mailbox(acme, 'support@acme.test');
  answers = new Answers(road, acme, before, `camille-${before.slice(-6)}-`);
});

afterAll(() => road?.close());

const remove = (id: string) => acme.owner.api.removeIntegration({ params: { id } });
const inAnHour = () => new Date(Date.now() + 3600_000).toISOString();

test('a conversation of before is answered from it', async () => {
  const { from, conversationId } = await answers.question();
  await remove(before);
  const again = await road.mailbox(acme, 'support@acme.test');
  const written = await acme.owner.api.writeReply({ params: { id: conversationId }, body: { text: 'Bonjour.' } });
  expect(await answers.follow(written.id).inState('sent')).toMatchObject({ integrationId: again });
  expect(road.sink.to(from).map(({ mail }) => mail.from?.value[0]?.address)).toEqual(['support@acme.test']);
  await remove(again);
});

test('a scheduled reply of before leaves by it', async () => {
  const { replyId, inState, mails } = await answers.write(acme.owner, { notBefore: inAnHour() });
  await remove(before);
  const again = await road.mailbox(acme, 'support@acme.test');
  await acme.owner.api.departReply({ params: { id: replyId } });
  expect(await inState('sent')).toMatchObject({ integrationId: again });
  expect(mails()).toHaveLength(1);
  await remove(again);
});

test('a scheduled reply whose mailbox is gone says so, and nothing leaves', async () => {
  const { replyId, inState, mails } = await answers.write(acme.owner, { notBefore: inAnHour() });
  await remove(before);
  await acme.owner.api.departReply({ params: { id: replyId } });
  const { lastResponse, failure } = await inState('failed');
  expect({ lastResponse, failure }).toEqual({
    failure: 'credentials-refused',
    lastResponse: 'This mailbox is not connected any more: connect it again, then send once more.',
  });
  expect(mails()).toEqual([]);
});
