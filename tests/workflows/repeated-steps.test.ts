import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Message } from '#domain/conversations/message.ts';
import { AuditEvent } from '#domain/record/audit-event.ts';
import { mail } from '../support/mails.ts';
import { ModelServer } from '../support/model-server.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

// Every step of every run is done twice, as when its worker dies right after it has committed.

let road: Road;
let model: ModelServer;
let acme: Company;
let support: string;
let done = new Set<string>();

/** Cut off there, it is not repeated: the run looks how far it came. */
const NEVER_REPEATED = 'transmitReply';

beforeAll(async () => {
  const afterStep = async (step: string) => {
    if (step === NEVER_REPEATED || done.has(step)) return;
    done.add(step);
    throw new Error('The worker is gone.');
  };
  road = await Road.open({ afterStep, patience: { modelTimeoutMs: 10_000 } });
  model = await ModelServer.open();
  acme = await road.company('acme');
  support = await road.mailbox(acme, 'support@acme.test');
  await acme.owner.api.changeAnswering({
    body: {
      prompt: 'Tu réponds pour Acme.',
      modelBaseUrl: model.url,
      modelName: 'stand-in-1',
      modelKey: 'sk-test',
      modelEnabled: true,
    },
  });
  const always = Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((day) => [day, [{ from: '00:00', to: '24:00' }]]));
  await acme.owner.api.setBusinessHours({ body: { timeZone: 'Europe/Paris', days: always, holidays: [] } });
  await folder('Automatique', 'auto', { replyMode: 'automatic' });
  await folder('Rappel', 'rappel', { replyMode: 'validation', deadlineSeconds: 1, deadlineAction: 'remind' });
  await folder('Relance', 'relance', { followUpMode: 'send', followUpAfterSeconds: 1, followUpText: 'Alors ?' });
});

beforeEach(() => {
  done = new Set();
});

afterAll(async () => {
  await road?.close();
  await model?.close();
});

async function folder(name: string, word: string, fields: object): Promise<void> {
  const rules = [{ field: 'subject', operator: 'contains', value: word }] as const;
  await acme.owner.api.createFolder({ body: { name, rules: [...rules], ...fields } });
}

async function written(subject: string, from: string) {
  const receiptId = await road.receiveMail(acme, support, mail({ from, subject }));
  const { conversationId: id } = await until('it is recorded', () =>
    road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { receiptId })),
  );
  const view = () => acme.owner.api.getConversation({ params: { id } });
  return { id, view, run: () => road.runOf(acme, receiptId), mails: () => road.sink.to(from) };
}

/** What is on record of what no person did. */
async function acts(): Promise<string[]> {
  const rows = await road.db.database.inTenant(acme.tenantId, (em) =>
    em.find(AuditEvent, { actorKind: { $ne: 'person' } }),
  );
  return rows.map(({ action, subjectId }) => `${action} ${subjectId}`).sort();
}

describe('with every step done twice', () => {
  test('an automatic answer is written, approved and sent once', async () => {
    const { view, run, mails } = await written('auto', 'auto@example.com');
    expect(await run()).toEqual({ stage: 'done', reason: 'sent' });
    expect(mails()).toHaveLength(1);
    expect((await view()).messages).toHaveLength(2);
  });

  test('a deadline calls the agents once, and an approved draft is sent once', async () => {
    const { view, run, mails } = await written('rappel', 'rappel@example.com');
    const draft = await until('the agents were called', async () => {
      const now = (await view()).draft;
      return now?.remindedAt ? now : null;
    });
    await acme.owner.api.approveDraft({ params: { id: draft.id }, body: { version: draft.version, text: null } });
    expect(await run()).toEqual({ stage: 'done', reason: 'sent' });
    expect(mails()).toHaveLength(1);
  });

  test('a follow-up is armed once and writes once', async () => {
    const { id, run, mails } = await written('relance', 'relance@example.com');
    await run();
    await acme.owner.api.writeReply({ params: { id }, body: { text: 'Quand seriez-vous disponible ?' } });
    await until('the client was written to twice', () => mails().length === 2);
    const { followUps } = await acme.owner.api.getConversation({ params: { id } });
    expect(followUps).toHaveLength(1);
  });

  test('every act of theirs is on record once', async () => {
    const all = await acts();
    expect(all.length).toBeGreaterThan(8);
    expect(all).toEqual([...new Set(all)]);
  });
});
