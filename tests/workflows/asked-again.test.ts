import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Answers } from '../support/answers.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

// What is asked for in the moment in which a run is about to end, when it has read its rows already.

let road: Road;
let acme: Company;
let maya: Person;
let answers: Answers;
let afterStep: (step: string) => Promise<void> = async () => {};

beforeAll(async () => {
  road = await Road.open({ afterStep: (step) => afterStep(step) });
  acme = await road.company('acme');
  maya = await road.person(acme, 'agent', 'Maya');
  answers = new Answers(road, acme, await road.mailbox(acme, 'support@acme.test'));
});

beforeEach(() => {
  afterStep = async () => {};
});

afterAll(() => road?.close());

/** What was asked of Temporal in a transaction has reached it. */
const passedOn = () =>
  until('Temporal has been asked', async () => {
    const { rows } = await road.db.owner.query('select 1 from run_request');
    return rows.length === 0;
  });

test('a reply that failed can be sent again before its run has ended', async () => {
  road.sink.faults.push({ at: 'rcpt', code: 550, text: '5.1.1 User unknown' });
  const { replyId, row, inState, mails } = await answers.write(maya);
  let judged = false;
  afterStep = async (step) => {
    if (step !== 'readReply' || judged || (await row()).state !== 'failed') return;
    judged = true;
    await maya.api.judgeReply({ params: { id: replyId }, body: { verdict: 'send-again' } });
    await passedOn();
  };
  await inState('sent');
  expect(judged).toBe(true);
  expect(mails()).toHaveLength(1);
});

test('rules that are saved while conversations are sorted again are applied to those already looked at', async () => {
  const { conversationId } = await answers.question();
  const rule = (value: string) => [{ field: 'subject', operator: 'contains', value }] as const;
  const { id } = await acme.owner.api.createFolder({ body: { name: 'Commandes', rules: [] } });
  let saved = false;
  afterStep = async (step) => {
    if (step !== 'sortFolderlessPage' || saved) return;
    saved = true;
    await acme.owner.api.changeFolder({ params: { id }, body: { rules: [...rule('Question')] } });
    await passedOn();
  };
  await acme.owner.api.changeFolder({ params: { id }, body: { rules: [...rule('never written')] } });
  await until('it stands in the folder', async () => {
    const { folderId } = await maya.api.getConversation({ params: { id: conversationId } });
    return folderId === id;
  });
  expect(saved).toBe(true);
});
