import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Message } from '#domain/conversations/message.ts';
import { FollowUp } from '#domain/work/follow-up.ts';
import { Answers } from '../support/answers.ts';
import { inThisMoment } from '../support/in-this-moment.ts';
import { mail } from '../support/mails.ts';
import { ModelServer } from '../support/model-server.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

// What people and other messages do between two steps of a run.

const DRAFTED = { answer: 'Bonjour Camille, nous regardons cela.', articles: [], manipulation: false };

let road: Road;
let model: ModelServer;
let acme: Company;
let support: string;
let automatic: string;
let afterStep: (step: string) => Promise<void> = async () => {};

beforeAll(async () => {
  road = await Road.open({ afterStep: (step) => afterStep(step), patience: { modelTimeoutMs: 10_000 } });
  model = await ModelServer.open();
  acme = await road.company('acme');
  support = await road.mailbox(acme, 'support@acme.test');
  await acme.owner.api.changeAnswering({
    body: {
      prompt: 'Tu réponds pour Acme, avec courtoisie.',
      modelBaseUrl: model.url,
      modelName: 'stand-in-1',
      modelKey: 'sk-test',
      modelEnabled: true,
      automaticPerClientPerDay: 2,
    },
  });
  automatic = await folder('Automatique', 'auto', { replyMode: 'automatic' });
  await folder('À valider', 'valider', { replyMode: 'validation' });
  await folder('Relance', 'relance', { followUpMode: 'send', followUpAfterSeconds: 1, followUpText: 'Alors ?' });
});

beforeEach(() => {
  afterStep = async () => {};
  model.behaviour.draft = () => DRAFTED;
});

afterAll(async () => {
  await road?.close();
  await model?.close();
});

async function folder(name: string, word: string, fields: object): Promise<string> {
  const rules = [{ field: 'subject', operator: 'contains', value: word }] as const;
  return (await acme.owner.api.createFolder({ body: { name, rules: [...rules], ...fields } })).id;
}

let people = 0;
async function write(subject: string, parts: Parameters<typeof mail>[0] = {}) {
  people += 1;
  const from = parts.from ?? `client${people}@example.com`;
  const receiptId = await road.receiveMail(acme, support, mail({ ...parts, from, subject }));
  const message = () =>
    until('it is recorded', () => road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { receiptId })));
  const view = async () => {
    const { conversationId } = await message();
    return acme.owner.api.getConversation({ params: { id: conversationId } });
  };
  return { from, receiptId, message, view, run: () => road.runOf(acme, receiptId), mails: () => road.sink.to(from) };
}

/** Does something once, when the model has been asked for a draft and has not answered yet. */
function whileItIsWritten(act: () => Promise<unknown>): void {
  let done = false;
  model.behaviour.draft = async () => {
    if (!done) {
      done = true;
      await act();
    }
    return DRAFTED;
  };
}

/** Does something once, between a step and the next one. */
function between(step: string, act: () => Promise<unknown>): void {
  let done = false;
  afterStep = async (name) => {
    if (name !== step || done) return;
    done = true;
    await act();
  };
}

describe('a folder that answers by itself', () => {
  const switchTo = (replyMode: 'automatic' | 'validation') =>
    acme.owner.api.changeFolder({ params: { id: automatic }, body: { replyMode } });

  test('answers nothing more once an admin has switched it to validation', async () => {
    whileItIsWritten(() => switchTo('validation'));
    let asked = false;
    between('approveAutomatically', async () => {
      asked = true;
    });
    const { view, mails } = await write('auto, mais plus longtemps');
    await until('it was asked whether it leaves', () => asked);
    await switchTo('automatic');
    expect((await view()).draft).toMatchObject({ state: 'waiting', caution: null });
    expect(mails()).toEqual([]);
  });

  test('sends no suspicious answer because a worker died right after it was kept', async () => {
    model.behaviour.draft = () => ({ ...DRAFTED, manipulation: true });
    const steps: string[] = [];
    afterStep = async (step) => {
      steps.push(step);
      if (step === 'draftByModel' && !steps.slice(0, -1).includes(step)) throw new Error('The worker is gone.');
    };
    const { view, mails, run } = await write('auto, en insistant');
    const draft = await until('a draft waits', async () => (await view()).draft);
    await until('the step was repeated', () => steps.filter((step) => step === 'draftByModel').length === 2);
    await acme.owner.api.approveDraft({ params: { id: draft.id }, body: { version: draft.version, text: null } });
    expect(await run()).toEqual({ stage: 'done', reason: 'sent' });
    expect(steps).not.toContain('approveAutomatically');
    expect(mails()).toHaveLength(1);
  });

  test('keeps to the daily ceiling when a client writes many times in one moment', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let writing = 0;
    model.behaviour.draft = async () => {
      writing += 1;
      await gate;
      return DRAFTED;
    };
    const from = 'busy@example.com';
    const asked = await Promise.all([1, 2, 3, 4, 5].map((n) => write(`auto ${n}`, { from })));
    await until('all five are being written', () => writing === 5);
    open();
    await until('each is sent or waits for somebody', async () => {
      const views = await Promise.all(asked.map(({ view }) => view()));
      return views.every(
        ({ draft, messages }) => draft?.caution || messages.some(({ direction }) => direction === 'outbound'),
      );
    });
    const waiting = (await Promise.all(asked.map(({ view }) => view()))).filter(({ draft }) => draft);
    expect(waiting.map(({ draft }) => draft?.caution)).toEqual(['client-ceiling', 'client-ceiling', 'client-ceiling']);
    await until('the others are sent', () => road.sink.to(from).length === 2);
  });
});

describe('a conversation that is deleted', () => {
  test('while its draft is written gets none, and no answer', async () => {
    const asked = await write('auto, puis supprimée');
    whileItIsWritten(async () => {
      const { conversationId } = await asked.message();
      await acme.owner.api.deleteConversation({ params: { id: conversationId } });
    });
    expect(await asked.run()).toMatchObject({ stage: 'no-reply', reason: 'overtaken' });
    expect(asked.mails()).toEqual([]);
  });
});

describe('a folder that is removed', () => {
  test('between the rules and the sorting does not hold the message up', async () => {
    const doomed = await folder('Éphémère', 'ephemere', {});
    between('classifyMessage', () => acme.owner.api.removeFolder({ params: { id: doomed } }));
    const asked = await write('ephemere');
    expect(await asked.run()).toMatchObject({ stage: 'no-reply' });
    expect(await asked.view()).toMatchObject({ folderId: null });
  });
});

describe('two messages of a client that come together', () => {
  test('leave the draft to the newer one when that is looked at first', async () => {
    const from = 'together@example.com';
    const opened = await write('valider ensemble', { from, id: 'together@example.com' });
    await until('a draft waits', async () => (await opened.view()).draft);
    const answer = { from, headers: { References: '<together@example.com>' } };
    let newer: Awaited<ReturnType<typeof write>> | undefined;
    between('recordMessage', async () => {
      newer = await write('Re: valider ensemble', { ...answer, text: 'Encore une chose.' });
      const { id } = await newer.message();
      await until('the newer one has a draft', async () => (await opened.view()).draft?.messageId === id);
    });
    const older = await write('Re: valider ensemble', { ...answer, text: 'Une chose.' });
    expect(await older.run()).toMatchObject({ stage: 'no-reply', reason: 'superseded' });
    expect((await opened.view()).draft?.messageId).toBe((await newer!.message()).id);
  });
});

describe('a folder’s follow-up', () => {
  const armed = (conversationId: string) =>
    road.db.database.inTenant(acme.tenantId, (em) => em.count(FollowUp, { conversationId, state: 'armed' }));

  test('is not armed in a conversation that was resolved while its answer was on its way', async () => {
    const asked = await write('relance inutile');
    await asked.run();
    const { conversationId } = await asked.message();
    between('concludeAttempt', () =>
      acme.owner.api.changeStatus({ params: { id: conversationId }, body: { status: 'resolved' } }),
    );
    const answers = new Answers(road, acme, support);
    const { id } = await acme.owner.api.writeReply({ params: { id: conversationId }, body: { text: 'Voilà.' } });
    await answers.follow(id).inState('sent');
    await until('its run is over', async () => {
      const run = road.temporal.client.workflow.getHandle(`tenant/${acme.tenantId}/reply/${id}`);
      return (await run.describe()).status.name === 'COMPLETED';
    });
    expect(await armed(conversationId)).toBe(0);
  });
});

describe('a conversation that is deleted in this very moment', () => {
  const whileItIsDeleted = <Result>(conversationId: string, act: () => Promise<Result>) =>
    inThisMoment(
      road.db,
      acme.tenantId,
      (em) => em.execute('update conversation set deleted_at = now() where id = ?', [conversationId]),
      act,
    );

  async function question(subject: string) {
    const asked = await write(subject, { id: `${subject}@example.com` });
    await asked.run();
    return { ...asked, conversationId: (await asked.message()).conversationId };
  }

  test('does not take a new message along: that opens another one', async () => {
    const { from, conversationId } = await question('disparue');
    const answer = { from, headers: { References: '<disparue@example.com>' } };
    const newest = await whileItIsDeleted(conversationId, async () => {
      const written = await write('Re: disparue', answer);
      await written.message();
      return written;
    });
    await newest.run();
    expect((await newest.view()).messages).toHaveLength(1);
    expect((await newest.message()).conversationId).not.toBe(conversationId);
  });

  test('is not deleted while a message comes in that nobody has seen', async () => {
    const { from, conversationId } = await question('presque');
    let refusal: unknown = null;
    between('recordMessage', async () => {
      refusal = await acme.owner.api.deleteConversation({ params: { id: conversationId } }).catch((error) => error);
    });
    const newest = await write('Re: presque', { from, headers: { References: '<presque@example.com>' } });
    await newest.run();
    expect(refusal).toMatchObject({ problem: { status: 409, code: 'conversation.message-arriving' } });
    expect((await newest.view()).messages).toHaveLength(2);
    await acme.owner.api.deleteConversation({ params: { id: conversationId } });
  });

  test('gets no answer any more', async () => {
    const { from, conversationId } = await question('muette');
    const body = { text: 'Voici.' };
    const answer = () => acme.owner.api.writeReply({ params: { id: conversationId }, body });
    await expect(whileItIsDeleted(conversationId, answer)).rejects.toMatchObject({
      problem: { status: 404, code: 'conversation.not-found' },
    });
    expect(road.sink.to(from)).toEqual([]);
  });

  test('has nothing sent again', async () => {
    road.sink.faults.push({ at: 'rcpt', code: 550, text: '5.1.1 User unknown' });
    const { conversationId } = await question('inconnue');
    const body = { text: 'Voici.' };
    const { id } = await acme.owner.api.writeReply({ params: { id: conversationId }, body });
    const { inState, row } = new Answers(road, acme, support).follow(id);
    await inState('failed');
    const judge = () => acme.owner.api.judgeReply({ params: { id }, body: { verdict: 'send-again' } });
    await expect(whileItIsDeleted(conversationId, judge)).rejects.toMatchObject({
      problem: { status: 404, code: 'conversation.not-found' },
    });
    expect((await row()).state).toBe('failed');
  });
});
