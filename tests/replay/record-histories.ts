// Records one history for each branch of the workflows, by running them: `npm run record:histories`. A recorded history
// is a promise to the runs that are waiting somewhere: it is added to, and replaced only with a workflow's patch.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Message } from '#domain/conversations/message.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { workflowIds } from '#workflows/contract.ts';
import { decideDraft } from '#workflows/review-draft.ts';
import setUp from '../support/global-setup.ts';
import tearDown from '../support/global-teardown.ts';
import { mail } from '../support/mails.ts';
import { ModelServer } from '../support/model-server.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';
import { signed, sms, token, VonageServer, whatsapp } from '../support/vonage.ts';

const FOLDER = path.join(import.meta.dirname, 'histories');

await setUp();
const vonage = await VonageServer.open();
const road = await Road.open({
  undoMs: 300,
  vonageUrl: vonage.url,
  patience: { quietMs: 900, modelTimeoutMs: 500, partsWithinMs: 1_000 },
});
const model = await ModelServer.open();
const acme = await road.company('acme');
const support = await road.mailbox(acme, 'support@acme.test');
await prepare(acme);

let people = 0;
function nextPerson(): string {
  people += 1;
  return `camille${people}@example.com`;
}

async function save(name: string, workflowId: string): Promise<void> {
  const handle = road.temporal.client.workflow.getHandle(workflowId);
  await until('the run has begun', () => handle.describe().catch(() => null));
  await handle.result();
  const history = JSON.parse(historyToJSON(await handle.fetchHistory())) as object;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(path.join(FOLDER, `${name}.json`), `${JSON.stringify({ workflowId, ...history }, null, 1)}\n`);
  console.log(name);
}

/** Receives a mail and, once its run has ended, saves it. */
async function receive(name: string, raw: string, meanwhile: (receiptId: string) => Promise<void> = async () => {}) {
  const receiptId = await road.receiveMail(acme, support, raw);
  await meanwhile(receiptId);
  await save(`receiveMessage.${name}`, workflowIds.receiveMessage(acme.tenantId, receiptId));
  return receiptId;
}

async function conversationOf(receiptId: string) {
  const message = await until('the message is recorded', () =>
    road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { receiptId })),
  );
  return acme.owner.api.getConversation({ params: { id: message.conversationId } });
}

async function draftOf(receiptId: string) {
  return until('a draft waits', async () => (await conversationOf(receiptId)).draft);
}

async function prepare(company: Company): Promise<void> {
  const { api } = company.owner;
  await api.changeAnswering({
    body: { prompt: 'Acme.', modelBaseUrl: model.url, modelName: 'm', modelKey: 'sk', modelEnabled: true },
  });
  await api.createArticle({ body: { title: 'Livraison', text: 'Trois jours ouvrés.', language: 'fr' } });
  const rule = (value: string) => [{ field: 'subject' as const, operator: 'contains' as const, value }];
  await api.createFolder({ body: { name: 'Muet', rules: rule('muet') } });
  await api.createFolder({ body: { name: 'Automatique', replyMode: 'automatic', rules: rule('automatique') } });
  await api.createFolder({ body: { name: 'Validation', replyMode: 'validation', rules: rule('valider') } });
  for (const deadlineAction of ['remind', 'send', 'discard'] as const) {
    const body = {
      name: deadlineAction,
      replyMode: 'validation' as const,
      deadlineSeconds: 1,
      deadlineAction,
      rules: rule(deadlineAction),
    };
    await api.createFolder({ body });
  }
  await api.createFolder({
    body: {
      name: 'Relance',
      followUpMode: 'send',
      followUpAfterSeconds: 1,
      followUpText: 'Toujours là ?',
      rules: rule('relance'),
    },
  });
  await api.createFolder({ body: { name: 'Modèle', aiFilter: 'Tout ce qui parle de colis.' } });
}

await receive('set-aside', '\u0000');
const original = mail({ from: nextPerson(), subject: 'muet original' });
await receive('no-reply', original);
await receive('duplicate', original);
await receive('filtered', mail({ from: nextPerson(), headers: { 'List-Id': '<n.example.com>', Precedence: 'bulk' } }));
model.behaviour.judgement = () => ({ folder: 1, confidence: 0.9, reason: 'x', intent: 'order', urgent: true });
await receive('sorted-by-model', mail({ from: nextPerson(), subject: 'Un colis' }));
model.behaviour.judgement = () => ({ folder: 0, confidence: 0.1, reason: 'x', intent: 'other', urgent: false });
await receive('left-for-an-agent', mail({ from: nextPerson(), subject: 'Rien' }));
model.faults.push({ kind: 'status', status: 401 });
await receive('model-failed-to-sort', mail({ from: nextPerson(), subject: 'Encore rien' }));
await receive('automatic', mail({ from: nextPerson(), subject: 'automatique' }));
await receive('approved', mail({ from: nextPerson(), subject: 'à valider' }), async (receiptId) => {
  const draft = await draftOf(receiptId);
  await acme.owner.api.approveDraft({ params: { id: draft.id }, body: { version: 1 } });
});
await receive('discarded', mail({ from: nextPerson(), subject: 'à valider' }), async (receiptId) => {
  await acme.owner.api.discardDraft({ params: { id: (await draftOf(receiptId)).id } });
});
await receive('regenerated', mail({ from: nextPerson(), subject: 'à valider' }), async (receiptId) => {
  const draft = await draftOf(receiptId);
  await acme.owner.api.regenerateDraft({ params: { id: draft.id }, body: { instruction: 'plus court' } });
  await until('it is written again', async () => (await draftOf(receiptId)).version === 2);
  model.faults.push({ kind: 'refusal' });
  await acme.owner.api.regenerateDraft({ params: { id: draft.id }, body: { instruction: 'encore' } });
  await until('the old text is back', async () => (await draftOf(receiptId)).version === 3);
  await acme.owner.api.discardDraft({ params: { id: draft.id } });
});
await receive('decided-by-operator', mail({ from: nextPerson(), subject: 'à valider' }), async (receiptId) => {
  await draftOf(receiptId);
  await road.temporal.client.workflow
    .getHandle(workflowIds.receiveMessage(acme.tenantId, receiptId))
    .signal(decideDraft, { decision: 'discard' });
});
const burst = nextPerson();
await receive('superseded', mail({ from: burst, subject: 'à valider', id: 'burst@example.com' }), async (receiptId) => {
  await draftOf(receiptId);
  const newer = await road.receiveMail(
    acme,
    support,
    mail({ from: burst, subject: 'Re: à valider', headers: { References: '<burst@example.com>' } }),
  );
  await draftOf(newer);
});
await receive('deadline-send', mail({ from: nextPerson(), subject: 'send' }));
await receive('deadline-discard', mail({ from: nextPerson(), subject: 'discard' }));
await receive('deadline-remind', mail({ from: nextPerson(), subject: 'remind' }), async (receiptId) => {
  await until('it was reminded', async () => (await draftOf(receiptId)).remindedAt);
  await acme.owner.api.discardDraft({ params: { id: (await draftOf(receiptId)).id } });
});
model.faults.push({ kind: 'refusal' }, { kind: 'refusal' });
await receive(
  'draft-from-article',
  mail({ from: nextPerson(), subject: 'à valider', text: 'Votre livraison ?' }),
  async (receiptId) => {
    await acme.owner.api.discardDraft({ params: { id: (await draftOf(receiptId)).id } });
  },
);
model.faults.push({ kind: 'refusal' }, { kind: 'refusal' });
await receive('nothing-to-say', mail({ from: nextPerson(), subject: 'à valider', text: 'xyz' }));
const quiet = nextPerson();
const before = await receive('answered-by-hand', mail({ from: quiet, subject: 'muet', id: 'quiet@example.com' }));
const { id: quietId } = await conversationOf(before);
const { folders } = await acme.owner.api.listFolders();
const reply = await acme.owner.api.writeReply({ params: { id: quietId }, body: { text: 'Je regarde.' } });
await acme.owner.api.moveConversation({
  params: { id: quietId },
  body: { folderId: folders.find((one) => one.name === 'Automatique')!.id },
});
await receive(
  'looked-again-later',
  mail({ from: quiet, subject: 'Re: muet', headers: { References: '<quiet@example.com>' } }),
);
await save('sendReply.sent', workflowIds.sendReply(acme.tenantId, reply.id));

/** A reply by hand in a new conversation. */
async function replyByHand(subject: string) {
  const receiptId = await road.receiveMail(acme, support, mail({ from: nextPerson(), subject }));
  await road.runOf(acme, receiptId);
  const { id } = await conversationOf(receiptId);
  return {
    conversationId: id,
    replyId: (await acme.owner.api.writeReply({ params: { id }, body: { text: 'Bonjour' } })).id,
  };
}
const cancelled = await replyByHand('muet');
await acme.owner.api.cancelReply({ params: { id: cancelled.replyId } });
await save('sendReply.cancelled', workflowIds.sendReply(acme.tenantId, cancelled.replyId));
road.sink.faults.push({ at: 'data', code: 451, text: 'later' });
await save('sendReply.retried', workflowIds.sendReply(acme.tenantId, (await replyByHand('muet')).replyId));
road.sink.faults.push({ at: 'rcpt', code: 550, text: 'no' });
await save('sendReply.refused', workflowIds.sendReply(acme.tenantId, (await replyByHand('muet')).replyId));
road.sink.faults.push({ at: 'dot', lost: 'after-accepting' });
const unknown = await replyByHand('muet');
await until('it is unknown', async () => {
  const { items } = await acme.owner.api.listOutbox();
  return items.some((item) => item.id === unknown.replyId && item.state === 'unknown');
});
await acme.owner.api.judgeReply({ params: { id: unknown.replyId }, body: { verdict: 'it-was-sent' } });
await save('sendReply.unknown', workflowIds.sendReply(acme.tenantId, unknown.replyId));
const promised = await replyByHand('relance');
const followUp = await until('the follow-up is armed', async () => {
  const { followUps } = await acme.owner.api.getConversation({ params: { id: promised.conversationId } });
  return followUps[0];
});
await save('followUp.fired', workflowIds.followUp(acme.tenantId, followUp.id));

const withdrawn = await replyByHand('relance');
const cancelledFollowUp = await until('the second follow-up is armed', async () => {
  const { followUps } = await acme.owner.api.getConversation({ params: { id: withdrawn.conversationId } });
  return followUps[0];
});
await acme.owner.api.cancelFollowUp({ params: { id: cancelledFollowUp.id } });
await save('followUp.cancelled', workflowIds.followUp(acme.tenantId, cancelledFollowUp.id));

const secret = 'a signature secret';
for (const channel of ['sms', 'whatsapp'] as const) {
  const number = { channel, name: channel, number: '+33757000001', apiKey: 'acme-key' };
  await acme.owner.api.connectNumber({ body: { ...number, apiSecret: 'api secret', signatureSecret: secret } });
}
const part = sms({ concat: 'true', 'concat-ref': '1', 'concat-total': '2', 'concat-part': '1' });
await fetch(`${road.url}/inbox/webhooks/sms?${new URLSearchParams(signed(part, secret))}`);
await saveBySource('part-waited-for', part.messageId!);
vonage.files.set('/v3/media/1', Buffer.from('%PDF-1.7\n'));
const withFile = whatsapp({ message_type: 'file', text: undefined, file: { url: `${vonage.url}/v3/media/1` } });
const body = JSON.stringify(withFile);
const headers = { 'content-type': 'application/json', authorization: `Bearer ${token(body, secret)}` };
await fetch(`${road.url}/inbox/webhooks/whatsapp`, { method: 'POST', headers, body });
await saveBySource('with-a-file', String(withFile.message_uuid));

async function saveBySource(name: string, sourceId: string): Promise<void> {
  const { id } = await road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Receipt, { sourceId }));
  await save(`receiveMessage.${name}`, workflowIds.receiveMessage(acme.tenantId, id));
}

await road.close();
await vonage.close();
await model.close();
await tearDown();
console.log(`${readdirSync(FOLDER).length} histories`);
process.exit(0);
