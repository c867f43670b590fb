import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Message } from '#domain/conversations/message.ts';
import { AuditEvent } from '#domain/record/audit-event.ts';
import { bounceOf, mail } from '../support/mails.ts';
import { ModelServer } from '../support/model-server.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

// What no person of the company does, and what changes nothing by itself, is on record too.

let road: Road;
let model: ModelServer;
let acme: Company;
let support: string;

beforeAll(async () => {
  [road, model] = await Promise.all([Road.open(), ModelServer.open()]);
  acme = await road.company('acme');
  support = await road.mailbox(acme, 'support@acme.test');
});

afterAll(async () => {
  await road?.close();
  await model?.close();
});

const inAcme = <Result>(work: Parameters<typeof road.db.database.inTenant<Result>>[1]) =>
  road.db.database.inTenant(acme.tenantId, work);

async function received(raw: string): Promise<string> {
  const receiptId = await road.receiveMail(acme, support, raw);
  await road.runOf(acme, receiptId);
  return (await inAcme((em) => em.findOneOrFail(Message, { receiptId }))).conversationId;
}

const acts = (action: string, subjectId: string) => inAcme((em) => em.find(AuditEvent, { action, subjectId }));

test('a client’s mail that opens a resolved conversation again', async () => {
  const id = await received(mail({ id: 'first@example.com', subject: 'Encore' }));
  await acme.owner.api.changeStatus({ params: { id }, body: { status: 'resolved' } });
  await received(mail({ subject: 'Re: Encore', headers: { References: '<first@example.com>' } }));
  const { client } = await acme.owner.api.getConversation({ params: { id } });
  expect(await acts('conversation.reopened', id)).toMatchObject([
    {
      actorKind: 'client',
      actorId: client.id,
      before: { status: 'resolved' },
      after: { status: 'in_progress' },
    },
  ]);
  await received(mail({ subject: 'Re: Encore', headers: { References: '<first@example.com>' }, text: 'Et ceci.' }));
  expect(await acts('conversation.reopened', id)).toHaveLength(1);
});

test('the model that finds a message urgent', async () => {
  await acme.owner.api.changeAnswering({
    body: { prompt: 'Acme.', modelBaseUrl: model.url, modelName: 'stand-in', modelKey: 'sk', modelEnabled: true },
  });
  await acme.owner.api.createFolder({ body: { name: 'Pannes', aiFilter: 'Tout ce qui ne marche plus.' } });
  model.behaviour.judgement = () => ({ folder: 1, confidence: 0.9, reason: 'Panne.', intent: 'request', urgent: true });
  const id = await received(mail({ from: 'panne@example.com', subject: 'Plus rien ne marche' }));
  expect(await acts('conversation.prioritised', id)).toMatchObject([
    { actorKind: 'model', before: { status: 'new' }, after: { status: 'urgent' } },
  ]);
  await acme.owner.api.changeAnswering({ body: { modelEnabled: false } });
});

test('a bounce that fails a reply', async () => {
  const id = await received(mail({ from: 'gone@example.com', subject: 'Partie' }));
  const reply = await acme.owner.api.writeReply({ params: { id }, body: { text: 'Bonjour' } });
  const sent = await until('it is sent', () => road.sink.to('gone@example.com')[0]);
  await received(bounceOf(sent.mail.messageId!.replace(/[<>]/g, ''), 'gone@example.com'));
  expect(await acts('reply.bounced', reply.id)).toMatchObject([
    { actorKind: 'system', before: { state: 'sent' }, after: { state: 'failed' } },
  ]);
});

test('a person who has a mailbox read now', async () => {
  // It is asked for, and not read.
  await road.stopWorkers();
  await acme.owner.api.syncIntegration({ params: { id: support } });
  expect(await acts('mailbox.synced', support)).toMatchObject([{ actorKind: 'person', actorId: acme.owner.id }]);
});
