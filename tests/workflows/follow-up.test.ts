import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Message } from '#domain/conversations/message.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { FollowUp } from '#domain/work/follow-up.ts';
import { workflowIds } from '#workflows/contract.ts';
import { mail } from '../support/mails.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let acme: Company;
let support: string;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  support = await road.mailbox(acme, 'support@acme.test');
  // Nights and weekends must not hold these up.
  const always = {
    timeZone: 'Europe/Paris',
    days: Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((day) => [day, [{ from: '00:00', to: '24:00' }]])),
    holidays: [],
  };
  await road.db.owner.query('update tenant set business_hours = $2 where id = $1', [acme.tenantId, always]);
  await acme.owner.api.createFolder({
    body: {
      name: 'Rappel',
      followUpMode: 'remind',
      followUpAfterSeconds: 2,
      rules: [{ field: 'subject', operator: 'contains', value: 'rappel' }],
    },
  });
  await acme.owner.api.createFolder({
    body: {
      name: 'Relance',
      followUpMode: 'send',
      followUpAfterSeconds: 2,
      followUpText: 'Avez-vous pu choisir une date ?',
      rules: [{ field: 'subject', operator: 'contains', value: 'relance' }],
    },
  });
});

afterAll(() => road?.close());

let people = 0;
/** A client has written and was answered: the folder's follow-up is armed. */
async function answered(subject: string) {
  people += 1;
  const from = `camille${people}@example.com`;
  const receiptId = await road.receiveMail(acme, support, mail({ from, subject, id: `ask-${people}@example.com` }));
  await road.runOf(acme, receiptId);
  const { conversationId } = await road.db.database.inTenant(acme.tenantId, (em) =>
    em.findOneOrFail(Message, { receiptId }),
  );
  await acme.owner.api.writeReply({ params: { id: conversationId }, body: { text: 'Quand seriez-vous disponible ?' } });
  const followUp = () => road.db.database.inTenant(acme.tenantId, (em) => em.findOne(FollowUp, { conversationId }));
  const armed = await until('the follow-up is armed', followUp);
  const inState = (state: FollowUp['state']) =>
    until(`it is ${state}`, async () => {
      const now = await followUp();
      return now?.state === state && now;
    });
  const result = async () => (await runOf(armed.id)).result();
  return { from, conversationId, id: armed.id, references: `<ask-${people}@example.com>`, inState, result };
}

/** The run of a follow-up, once the relay has started it. */
async function runOf(followUpId: string) {
  const handle = road.temporal.client.workflow.getHandle(workflowIds.followUp(acme.tenantId, followUpId));
  await until('its run has begun', () => handle.describe().catch(() => null));
  return handle;
}

describe('a follow-up', () => {
  test('reminds the agents when the client stays silent, and waits in the list until it is put away', async () => {
    const { id, inState } = await answered('rappel simple');
    await inState('fired');
    const due = async () =>
      (await acme.owner.api.listFollowUps({ query: { state: 'due' } })).items.map((item) => item.id);
    expect(await due()).toContain(id);
    await acme.owner.api.cancelFollowUp({ params: { id } });
    expect(await due()).not.toContain(id);
  });

  test('writes to the client in the thread, once', async () => {
    const { from, id, inState, result } = await answered('relance simple');
    await inState('fired');
    expect(await result()).toEqual({ state: 'fired' });
    const texts = road.sink.to(from).map((sent) => sent.mail.text?.trim());
    expect(texts).toEqual(['Quand seriez-vous disponible ?', 'Avez-vous pu choisir une date ?']);
    expect(road.sink.to(from)[1]?.mail.headers.get('auto-submitted')).toBe('auto-replied');
    // A silent client is not written to again and again: what the follow-up sent has no follow-up.
    const rows = await road.db.database.inTenant(acme.tenantId, async (em) => {
      const { conversationId } = await em.findOneOrFail(FollowUp, { id });
      return em.find(FollowUp, { conversationId });
    });
    expect(rows).toHaveLength(1);
    const sending = road.temporal.client.workflow.getHandle(
      workflowIds.sendReply(acme.tenantId, rows[0]!.sentReplyId!),
    );
    expect(await sending.result()).toEqual({ state: 'sent' });
    expect(
      await road.db.database.inTenant(acme.tenantId, (em) => em.count(FollowUp, { replyId: rows[0]!.sentReplyId! })),
    ).toBe(0);
  });

  test('is cancelled by the client’s answer', async () => {
    const { from, references, inState, result } = await answered('relance annulée');
    const answer = await road.receiveMail(
      acme,
      support,
      mail({ from, subject: 'Re: relance annulée', headers: { References: references } }),
    );
    await road.runOf(acme, answer);
    expect(await inState('cancelled')).toMatchObject({ cancelReason: 'client-answered' });
    expect(await result()).toEqual({ state: 'cancelled' });
    expect(road.sink.to(from)).toHaveLength(1);
  });

  test('fires after a restart of the workers', async () => {
    const { from, inState } = await answered('relance après redémarrage');
    await road.stopWorkers();
    await road.startWorkers();
    await inState('fired');
    await until('it is sent', () => road.sink.to(from).length === 2);
  });

  test('is cancelled by hand', async () => {
    const { id, inState, result } = await answered('rappel à la main');
    await acme.owner.api.cancelFollowUp({ params: { id } });
    expect(await inState('cancelled')).toMatchObject({ cancelReason: 'person' });
    expect(await result()).toEqual({ state: 'cancelled' });
  });

  test('set by an agent fires at its moment and not before', async () => {
    const { conversationId } = await answered('rappel et un autre');
    const dueAt = new Date(Date.now() + 1_500);
    const made = await acme.owner.api.addFollowUp({
      params: { id: conversationId },
      body: { mode: 'remind', dueAt: dueAt.toISOString() },
    });
    const run = await runOf(made.id);
    expect(await run.result()).toEqual({ state: 'fired' });
    const row = await road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(FollowUp, { id: made.id }));
    expect(row.settledAt!.getTime()).toBeGreaterThanOrEqual(dueAt.getTime());
  });
});

describe('a follow-up that is due after an outage', () => {
  const mailboxIs = (change: Partial<Integration>) =>
    road.db.database.inTenant(acme.tenantId, (em) => em.nativeUpdate(Integration, { id: support }, change));

  const hasLookedAgain = async (id: string) => {
    const history = await (await runOf(id)).fetchHistory();
    const timers = history.events?.filter((event) => event.timerStartedEventAttributes) ?? [];
    return timers.length > 1;
  };

  afterEach(() => mailboxIs({ state: 'paused', lastSuccessAt: null }));

  test('waits for the mailbox to be read: the answer may lie there', async () => {
    await mailboxIs({ state: 'active' });
    const { from, id, references, inState, result } = await answered('relance après une panne');
    await until('it is due, and looks again', () => hasLookedAgain(id));
    const answer = await road.receiveMail(
      acme,
      support,
      mail({ from, subject: 'Re: relance après une panne', headers: { References: references } }),
    );
    await road.runOf(acme, answer);
    expect(await inState('cancelled')).toMatchObject({ cancelReason: 'client-answered' });
    expect(await result()).toEqual({ state: 'cancelled' });
    expect(road.sink.to(from)).toHaveLength(1);
  });

  test('is kept once the mailbox was read and no answer lay there', async () => {
    await mailboxIs({ state: 'active' });
    const { from, id, inState } = await answered('relance après lecture');
    await until('it is due, and looks again', () => hasLookedAgain(id));
    await mailboxIs({ lastSuccessAt: new Date() });
    await inState('fired');
    await until('the client is written to', () => road.sink.to(from).length === 2);
  });
});
