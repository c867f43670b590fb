import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Draft } from '#domain/conversations/draft.ts';
import { Message } from '#domain/conversations/message.ts';
import { decideDraft } from '#workflows/review-draft.ts';
import { ModelServer } from '../support/model-server.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';
import { signed, sms, token, VonageServer, whatsapp } from '../support/vonage.ts';

const SECRET = 'acme signature secret';
let vonage: VonageServer;
let model: ModelServer;
let road: Road;
let acme: Company;

beforeAll(async () => {
  [vonage, model] = await Promise.all([VonageServer.open(), ModelServer.open()]);
  road = await Road.open({ vonageUrl: vonage.url });
  acme = await road.company('acme');
  const { api } = acme.owner;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const body = { name: 'Mobile', number: '+33757000001', apiKey: 'acme-key', signatureSecret: SECRET };
  await api.connectNumber({ body: { ...body, channel: 'sms', apiSecret: 'api secret' } });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const application = { applicationId: '0f5c1b3a-6f4a-4c0e-9c67-2d6a54f4b8f1', privateKey: key };
  await api.connectNumber({ body: { ...body, channel: 'whatsapp', ...application } });
  await api.changeAnswering({
    body: { prompt: 'Acme.', modelBaseUrl: model.url, modelName: 'm', modelKey: 'sk', modelEnabled: true },
  });
  const rule = (value: string) => [{ field: 'content' as const, operator: 'contains' as const, value }];
  await api.createFolder({ body: { name: 'Automatique', replyMode: 'automatic', rules: rule('tout de suite') } });
  await api.createFolder({ body: { name: 'Validation', replyMode: 'validation', rules: rule('plus tard') } });
  const deadline = { deadlineSeconds: 2, deadlineAction: 'send' as const };
  await api.createFolder({
    body: { name: 'Délai', replyMode: 'validation', ...deadline, rules: rule('dans un moment') },
  });
});

afterAll(async () => {
  await road?.close();
  await Promise.all([vonage?.close(), model?.close()]);
});

async function text(msisdn: string, words: string): Promise<void> {
  const query = new URLSearchParams(signed(sms({ msisdn, text: words }), SECRET));
  expect((await fetch(`${road.url}/inbox/webhooks/sms?${query}`)).status).toBe(200);
}

async function chat(from: string, words: string): Promise<void> {
  const body = JSON.stringify(whatsapp({ from, text: words }));
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token(body, SECRET)}` };
  expect((await fetch(`${road.url}/inbox/webhooks/whatsapp`, { method: 'POST', headers, body })).status).toBe(200);
}

function draftFor(words: string): Promise<Draft> {
  return until('a draft is written', () =>
    road.db.database.inTenant(acme.tenantId, async (em) => {
      const message = await em.findOne(Message, { text: words });
      return message && em.findOne(Draft, { messageId: message.id });
    }),
  );
}

function draft(id: string): Promise<Draft> {
  return road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Draft, { id }));
}

async function closeWindow(conversationId: string): Promise<void> {
  await road.db.owner.query(`update conversation set last_inbound_at = now() - interval '25 hours' where id = $1`, [
    conversationId,
  ]);
}

describe('an automatic answer by SMS', () => {
  test('leaves by itself, and one that is too long waits for an agent with the reason', async () => {
    await text('33640000001', 'Répondez tout de suite');
    await until('it has left', () => vonage.to('33640000001').length === 1);
    model.behaviour.draft = () => ({ answer: 'a'.repeat(1_100), articles: [], manipulation: false });
    await text('33640000002', 'Encore tout de suite');
    const { id } = await draftFor('Encore tout de suite');
    await until('it waits with its reason', async () => (await draft(id)).caution === 'reply.too-long');
    expect(await draft(id)).toMatchObject({ state: 'waiting', replyId: null });
    expect(vonage.to('33640000002')).toEqual([]);
    const approve = (words: string) =>
      acme.owner.api.approveDraft({ params: { id }, body: { version: 1, text: words } });
    await expect(approve('b'.repeat(1_001))).rejects.toMatchObject({ problem: { code: 'reply.too-long' } });
    await approve('Plus court.');
    await until('the shorter one has left', () => vonage.to('33640000002').length === 1);
    model.behaviour.draft = () => ({ answer: 'Bonjour.', articles: [], manipulation: false });
  });
});

describe('a draft for WhatsApp whose window has closed', () => {
  test('can be approved by nobody, and stays where an agent sees it', async () => {
    await chat('33640000003', 'Répondez plus tard');
    const { id, conversationId, runId } = await draftFor('Répondez plus tard');
    await closeWindow(conversationId);
    await expect(acme.owner.api.approveDraft({ params: { id }, body: { version: 1 } })).rejects.toMatchObject({
      problem: { code: 'reply.whatsapp-window-closed' },
    });
    await road.temporal.client.workflow.getHandle(runId).signal(decideDraft, { decision: 'approve' });
    await until('the signal was heard', async () => {
      const { steps } = await acme.owner.api.listSteps({ params: { id: conversationId } });
      return steps.some((step) => step.name === 'reviewDraft' && step.facts.signal === 'approve');
    });
    expect(await draft(id)).toMatchObject({ state: 'waiting', decision: null, replyId: null });
    expect(vonage.to('33640000003')).toEqual([]);
  });

  test('whose folder would have it sent at its deadline reminds an agent instead', async () => {
    await chat('33640000004', 'Répondez dans un moment');
    const { id, conversationId } = await draftFor('Répondez dans un moment');
    await closeWindow(conversationId);
    await until('somebody is reminded', async () => (await draft(id)).remindedAt);
    expect(await draft(id)).toMatchObject({ state: 'waiting', replyId: null });
    expect(vonage.to('33640000004')).toEqual([]);
  });
});
