import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let acme: Company;
let globex: Company;
let webhook: { id: string; secret: string };

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  await acme.owner.api.createArticle({
    body: { title: 'Où est ma commande ?', text: 'Une commande arrive sous trois jours ouvrés.', language: 'fr' },
  });
  await acme.owner.api.createFolder({
    body: {
      name: 'Commandes',
      replyMode: 'validation',
      rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
    },
  });
  const created = await acme.owner.api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
});

afterAll(() => road?.close());

const question = (from: string) => ({
  from: { email: from, name: 'Camille Martin' },
  subject: 'Ma commande',
  text: 'Bonjour, où est ma commande #12345 ?',
});

async function conversationOf(company: Company, contact: string) {
  return until(`a draft waits for ${contact}`, async () => {
    const { items } = await company.owner.api.listConversations({ query: { place: 'all' } });
    return items.find((row) => row.client.contact === contact && row.waitingDraftId);
  });
}

describe('a message from a signed webhook', () => {
  test('is sorted by a rule, drafted from the knowledge, approved by an agent and sent once in its thread', async () => {
    const answer = await road.deliver(webhook, question('camille@example.com'));
    expect(answer.status).toBe(202);
    const row = await conversationOf(acme, 'camille@example.com');
    expect(row).toMatchObject({ subject: 'Ma commande', sortedBy: 'rule', status: 'new', unread: true });

    const conversation = await acme.owner.api.getConversation({ params: { id: row.id } });
    expect(conversation.draft).toMatchObject({
      origin: 'article',
      text: 'Une commande arrive sous trois jours ouvrés.',
    });

    await acme.owner.api.approveDraft({
      params: { id: conversation.draft!.id },
      body: { version: conversation.draft!.version, text: 'Bonjour Camille, elle arrive demain.' },
    });
    const [sent] = await until('the mail arrives', () => {
      const mails = road.sink.to('camille@example.com');
      return mails.length > 0 && mails;
    });
    expect(sent?.mail.subject).toBe('Re: Ma commande');
    expect(sent?.mail.text).toContain('Bonjour Camille, elle arrive demain.');
    expect(sent?.mail.headers.has('auto-submitted')).toBe(false);

    const after = await until('the reply is recorded as sent', async () => {
      const view = await acme.owner.api.getConversation({ params: { id: row.id } });
      return view.messages.at(-1)?.reply?.state === 'sent' && view;
    });
    expect(after).toMatchObject({ status: 'in_progress', draft: null });
    expect(road.sink.to('camille@example.com')).toHaveLength(1);

    const runId = (await acme.owner.api.listSteps({ params: { id: row.id } })).runs[0]!.runId;
    const result = await road.temporal.client.workflow.getHandle(runId).result();
    expect(result).toEqual({ stage: 'done', reason: 'sent' });
  });

  test('cannot be seen by another company, whatever it asks for', async () => {
    await road.deliver(webhook, question('zoe@example.com'));
    const row = await conversationOf(acme, 'zoe@example.com');
    expect((await globex.owner.api.listConversations({ query: { place: 'all' } })).items).toEqual([]);
    await expect(globex.owner.api.getConversation({ params: { id: row.id } })).rejects.toMatchObject({
      problem: { status: 404 },
    });
    await expect(
      globex.owner.api.approveDraft({ params: { id: row.waitingDraftId! }, body: { version: 1 } }),
    ).rejects.toMatchObject({ problem: { status: 404 } });
    await expect(globex.owner.api.listSteps({ params: { id: row.id } })).rejects.toMatchObject({
      problem: { status: 404 },
    });
  });
});
