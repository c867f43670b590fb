import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Draft } from '#domain/conversations/draft.ts';
import { Message } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';
import { token, VonageServer, whatsapp } from '../support/vonage.ts';

const SECRET = 'acme signature secret';
const TEMPLATE = {
  name: 'suite_de_votre_demande',
  language: 'fr',
  body: 'Bonjour {{1}}, votre demande {{2}} avance. Répondez pour en savoir plus.',
};
const NUMBER = {
  channel: 'whatsapp' as const,
  name: 'WhatsApp',
  number: '+33757000001',
  apiKey: 'acme-key',
  apiSecret: 'api secret',
  signatureSecret: SECRET,
};

let vonage: VonageServer;
let road: Road;
let acme: Company;
let globex: Company;
let maya: Person;
let numberId: string;
let templateId: string;

beforeAll(async () => {
  vonage = await VonageServer.open();
  road = await Road.open({ vonageUrl: vonage.url });
  acme = await road.company('acme');
  globex = await road.company('globex');
  maya = await road.person(acme, 'agent', 'Maya');
  ({ id: numberId } = await acme.owner.api.connectNumber({ body: NUMBER }));
  ({ id: templateId } = await acme.owner.api.addWhatsappTemplate({ params: { id: numberId }, body: TEMPLATE }));
  await acme.owner.api.createArticle({ body: { title: 'Colis', text: 'Trois jours ouvrés.', language: 'fr' } });
  const rules = [{ field: 'content' as const, operator: 'contains' as const, value: 'colis' }];
  const folder = { name: 'Colis', replyMode: 'validation' as const, signature: 'L’équipe Acme', rules };
  await acme.owner.api.createFolder({ body: folder });
});

afterAll(async () => {
  await road?.close();
  await vonage?.close();
});

let people = 0;

/** A client wrote more than a day ago. */
async function lateConversation(words = 'Une question') {
  people += 1;
  const phone = `336500${String(10_000 + people)}`;
  const text = `${words} ${people}`;
  await post('whatsapp', whatsapp({ from: phone, text }));
  const { id: messageId, conversationId: id } = await heard(text);
  await road.db.owner.query(`update conversation set last_inbound_at = now() - interval '25 hours' where id = $1`, [
    id,
  ]);
  return { id, phone, messageId, view: () => maya.api.getConversation({ params: { id } }) };
}

function heard(text: string): Promise<Message> {
  return until('the message is heard', () =>
    road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { text, kind: 'personal' })),
  );
}

async function post(path: string, fields: Record<string, unknown>): Promise<void> {
  const body = JSON.stringify(fields);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token(body, SECRET)}` };
  const { status } = await fetch(`${road.url}/inbox/webhooks/${path}`, { method: 'POST', headers, body });
  expect(status).toBe(200);
}

function answer(
  id: string,
  parameters = ['Camille', '#12345'],
  more: { notBefore?: string; templateId?: string } = {},
) {
  return maya.api.writeTemplateReply({ params: { id }, body: { templateId, parameters, ...more } });
}

function inState(id: string, state: Reply['state']): Promise<Reply> {
  return until(`the reply is ${state}`, async () => {
    const reply = await road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Reply, { id }));
    return reply.state === state && reply;
  });
}

const refusedWith = (status: number, code: string) => ({ problem: { status, code } });

describe('a template after the window has closed', () => {
  const text = 'Bonjour Camille, votre demande #12345 avance. Répondez pour en savoir plus.';

  test('leaves once, by its name and with its values, where free text is refused', async () => {
    const { id, phone, view } = await lateConversation();
    await expect(maya.api.writeReply({ params: { id }, body: { text: 'Trop tard' } })).rejects.toMatchObject(
      refusedWith(409, 'reply.whatsapp-window-closed'),
    );
    expect(await maya.api.listConversationTemplates({ params: { id } })).toEqual({
      numberId,
      templates: [{ id: templateId, ...TEMPLATE }],
    });
    const reply = await answer(id, [' Camille ', '#12345']);
    await inState(reply.id, 'sent');
    expect(vonage.to(phone)).toEqual([
      {
        uuid: expect.any(String),
        authorization: expect.any(String),
        message_type: 'template',
        template: { name: TEMPLATE.name, parameters: ['Camille', '#12345'] },
        whatsapp: { policy: 'deterministic', locale: 'fr' },
        channel: 'whatsapp',
        from: '33757000001',
        to: phone,
        client_ref: reply.id,
      },
    ]);
    const { messages, preview } = await view();
    const { name, language } = TEMPLATE;
    expect(preview).toBe(text);
    expect(messages.at(-1)).toMatchObject({
      newText: text,
      fullText: null,
      template: { name, language, parameters: ['Camille', '#12345'] },
    });
  });

  test('settles the draft that waits like any answer by hand, and carries no signature', async () => {
    const { id, phone, messageId, view } = await lateConversation('Où est mon colis ?');
    const draft = await until('a draft waits', async () => (await view()).draft);
    await expect(
      maya.api.approveDraft({ params: { id: draft.id }, body: { version: draft.version } }),
    ).rejects.toMatchObject({
      problem: { code: 'reply.whatsapp-window-closed', detail: expect.stringContaining('template') },
    });
    await inState((await answer(id)).id, 'sent');
    const settled = await road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Draft, { messageId }));
    expect(settled).toMatchObject({ state: 'superseded', decidedBy: maya.id });
    expect((await view()).messages.at(-1)).toMatchObject({ newText: text, fullText: null });
    expect(vonage.to(phone)).toHaveLength(1);
  });

  test('waits for its moment, and leaves as it was written though the template has changed', async () => {
    const { id, phone } = await lateConversation();
    const reply = await answer(id, ['Camille', '#1'], { notBefore: new Date(Date.now() + 3_600_000).toISOString() });
    const body = 'Bonjour {{1}}, c’est fait.';
    const params = { id: templateId };
    await acme.owner.api.changeWhatsappTemplate({ params, body: { ...TEMPLATE, name: 'autre', body } });
    await expect(answer(id)).rejects.toMatchObject(refusedWith(422, 'template.changed'));
    await acme.owner.api.changeWhatsappTemplate({ params, body: TEMPLATE });
    expect(vonage.to(phone)).toEqual([]);
    await maya.api.departReply({ params: { id: reply.id } });
    await inState(reply.id, 'sent');
    expect(vonage.to(phone)).toMatchObject([{ template: { name: TEMPLATE.name, parameters: ['Camille', '#1'] } }]);
  });

  test('whose answer was lost is not sent again, and a refusal that comes later is shown', async () => {
    const { id, phone } = await lateConversation();
    vonage.faults.push({ lost: 'after-taking' });
    const reply = await answer(id);
    await inState(reply.id, 'unknown');
    const { uuid: message_uuid, to, from, client_ref } = vonage.to(phone)[0]!;
    const timestamp = new Date().toISOString();
    const receipt = { message_uuid, to, from, client_ref, channel: 'whatsapp', timestamp };
    await post('whatsapp/status', {
      ...receipt,
      status: 'rejected',
      error: { title: '1470', detail: 'Template was not found' },
    });
    expect(await inState(reply.id, 'failed')).toMatchObject({
      failure: 'not-delivered',
      lastResponse: '1470: Template was not found',
    });
    expect(vonage.to(phone)).toHaveLength(1);
  });
});

describe('a template is refused', () => {
  test.each([
    [['Camille'], 'template.changed'],
    [['Camille', '  '], 'template.parameter-missing'],
    [['Camille', 'a\nb'], 'template.parameter-lines'],
    [['Camille', 'a     b'], 'template.parameter-spaces'],
  ])('with the values %j: %s', async (parameters, code) => {
    const { id, phone } = await lateConversation();
    await expect(answer(id, parameters)).rejects.toMatchObject(refusedWith(422, code));
    expect(vonage.to(phone)).toEqual([]);
  });

  test('for a conversation of another channel', async () => {
    const { integration, secret } = await acme.owner.api.createWebhook({ body: { name: 'Boutique' } });
    const from = { email: 'camille@example.com' };
    await road.deliver({ id: integration.id, secret }, { from, text: 'Par le site' }, { 'idempotency-key': 'site' });
    const { conversationId: id } = await heard('Par le site');
    await expect(answer(id)).rejects.toMatchObject(refusedWith(409, 'template.other-channel'));
    expect(await maya.api.listConversationTemplates({ params: { id } })).toEqual({ numberId: null, templates: [] });
  });

  test('of another number, of this company or of another', async () => {
    const others = [
      { api: acme.owner.api, number: { ...NUMBER, number: '+33757000002' } },
      { api: globex.owner.api, number: { ...NUMBER, number: '+33757000003', apiKey: 'globex-key' } },
    ];
    const { id, phone } = await lateConversation();
    for (const { api, number } of others) {
      const connected = await api.connectNumber({ body: number });
      const other = await api.addWhatsappTemplate({ params: { id: connected.id }, body: TEMPLATE });
      await expect(answer(id, undefined, { templateId: other.id })).rejects.toMatchObject(
        refusedWith(404, 'template.not-found'),
      );
    }
    expect(vonage.to(phone)).toEqual([]);
  });

  test('when WhatsApp cannot have approved it, or has it already', async () => {
    const add = (change: Partial<typeof TEMPLATE>) =>
      acme.owner.api.addWhatsappTemplate({ params: { id: numberId }, body: { ...TEMPLATE, ...change } });
    await expect(add({ name: 'Suite' })).rejects.toMatchObject(refusedWith(422, 'template.name'));
    await expect(add({ body: 'Bonjour {{2}}.' })).rejects.toMatchObject(refusedWith(422, 'template.placeholder-gap'));
    await expect(add({})).rejects.toMatchObject(refusedWith(409, 'template.exists'));
    const { id } = await add({ language: 'en_US' });
    await expect(acme.owner.api.changeWhatsappTemplate({ params: { id }, body: TEMPLATE })).rejects.toMatchObject(
      refusedWith(409, 'template.exists'),
    );
    await acme.owner.api.removeWhatsappTemplate({ params: { id } });
  });
});

describe('another company', () => {
  test('neither sees nor changes a template', async () => {
    const theirs = globex.owner.api;
    const { id } = await theirs.connectNumber({ body: { ...NUMBER, apiKey: 'globex-key', signatureSecret: 'other' } });
    expect(await theirs.listWhatsappTemplates({ params: { id } })).toEqual({ templates: [] });
    const gone = refusedWith(404, 'template.not-found');
    const params = { id: templateId };
    await expect(theirs.changeWhatsappTemplate({ params, body: TEMPLATE })).rejects.toMatchObject(gone);
    await expect(theirs.removeWhatsappTemplate({ params })).rejects.toMatchObject(gone);
    await expect(theirs.listWhatsappTemplates({ params: { id: numberId } })).rejects.toMatchObject(
      refusedWith(404, 'integration.not-found'),
    );
  });
});

describe('the templates of a number', () => {
  test('are on record, and come back with it when it is connected again', async () => {
    const { api } = acme.owner;
    const { items } = await api.listAuditEvents({ query: { subjectId: templateId } });
    expect(items.map(({ action }) => action)).toContain('whatsapp_template.added');
    await api.removeIntegration({ params: { id: numberId } });
    await expect(api.changeWhatsappTemplate({ params: { id: templateId }, body: TEMPLATE })).rejects.toMatchObject(
      refusedWith(404, 'integration.not-found'),
    );
    const { id } = await api.connectNumber({ body: NUMBER });
    expect(await api.listWhatsappTemplates({ params: { id } })).toEqual({
      templates: [{ id: templateId, ...TEMPLATE }],
    });
  });
});
