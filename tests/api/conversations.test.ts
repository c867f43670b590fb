import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Conversation } from '#domain/conversations/conversation.ts';
import { Message } from '#domain/conversations/message.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { TASK_QUEUES, WORKFLOWS, workflowIds } from '#workflows/contract.ts';
import { mail } from '../support/mails.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { createConversation } from '../support/story.ts';
import { until } from '../support/until.ts';

let road: Road;
let acme: Company;
let globex: Company;
let maya: Person;
let support: string;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  maya = await road.person(acme, 'agent', 'Maya');
  support = await road.mailbox(acme, 'support@acme.test');
});

afterAll(() => road?.close());

function conversation(from: string, subject?: string): Promise<Conversation> {
  return road.db.database.inTenant(
    acme.tenantId,
    async (em) => (await createConversation(em, acme.tenantId, from, subject)).conversation,
  );
}

const view = (id: string) => maya.api.getConversation({ params: { id } });

describe('the list', () => {
  test('pages through everything once, newest first, while new conversations arrive', async () => {
    const initech = await road.company('initech');
    await road.db.database.inTenant(initech.tenantId, async (em) => {
      for (let index = 0; index < 25; index += 1) {
        const { conversation: row } = await createConversation(
          em,
          initech.tenantId,
          `camille${index}@example.com`,
          `Sujet ${index}`,
        );
        row.lastMessageAt = new Date(Date.UTC(2026, 0, 1, 0, Math.floor(index / 3)));
      }
    });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await initech.owner.api.listConversations({ query: { limit: 7, cursor } });
      seen.push(...page.items.map((item) => item.subject));
      if (seen.length === 7) {
        await road.db.database.inTenant(initech.tenantId, (em) =>
          createConversation(em, initech.tenantId, 'new@example.com', 'Arrivé entre-temps'),
        );
      }
      cursor = page.next ?? undefined;
    } while (cursor);
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
    expect(seen).not.toContain('Arrivé entre-temps');
  });

  test.each(['nonsense', Buffer.from('["x","y"]').toString('base64url')])('refuses the cursor %s', async (cursor) => {
    await expect(maya.api.listConversations({ query: { cursor } })).rejects.toMatchObject({
      problem: { status: 422, code: 'cursor.not-valid' },
    });
  });

  test('is narrowed by status, unread, assignee and channel together', async () => {
    const row = await conversation('filtre@example.com', 'Filtrée');
    await maya.api.assignConversation({ params: { id: row.id }, body: { userId: maya.id } });
    await maya.api.changeStatus({ params: { id: row.id }, body: { status: 'urgent' } });
    const found = await maya.api.listConversations({
      query: { status: 'urgent', assigneeId: maya.id, channel: 'email', unread: 'true' },
    });
    expect(found.items.map((item) => item.id)).toEqual([row.id]);
    expect((await maya.api.listConversations({ query: { status: 'urgent', channel: 'webhook' } })).items).toEqual([]);
  });
});

describe('a status', () => {
  test('follows the acts on a conversation and its own rules', async () => {
    const { id } = await conversation('statut@example.com');
    expect(await view(id)).toMatchObject({ status: 'new' });
    await maya.api.addNote({ params: { id }, body: { text: 'Vu avec le client.' } });
    expect(await view(id)).toMatchObject({ status: 'in_progress' });
    await maya.api.changeStatus({ params: { id }, body: { status: 'urgent' } });
    expect(await view(id)).toMatchObject({ status: 'urgent', progress: 'in_progress' });
    await maya.api.changeStatus({ params: { id }, body: { status: 'resolved' } });
    expect(await view(id)).toMatchObject({ status: 'resolved' });
    await expect(maya.api.changeStatus({ params: { id }, body: { status: 'new' } })).rejects.toMatchObject({
      problem: { status: 409, code: 'conversation.status-not-allowed' },
    });
  });

  test('offered to an agent is one that is accepted', async () => {
    const { id } = await conversation('permis@example.com');
    for (const status of (await view(id)).allowedStatuses) {
      const fresh = await conversation('permis@example.com');
      await maya.api.changeStatus({ params: { id: fresh.id }, body: { status } });
      expect(await view(fresh.id)).toMatchObject({ status });
    }
  });
});

describe('what agents do', () => {
  test('is read by the whole team: opening reads, and it can be marked unread again', async () => {
    const { id } = await conversation('lu@example.com');
    await maya.api.readConversation({ params: { id }, body: { read: true } });
    expect(await acme.owner.api.getConversation({ params: { id } })).toMatchObject({ unread: false });
    await acme.owner.api.readConversation({ params: { id }, body: { read: false } });
    expect(await view(id)).toMatchObject({ unread: true });
  });

  test('cannot reach people of another company', async () => {
    const { id } = await conversation('assigne@example.com');
    await expect(
      maya.api.assignConversation({ params: { id }, body: { userId: globex.owner.id } }),
    ).rejects.toMatchObject({ problem: { status: 422, code: 'user.not-found' } });
  });

  test('counts unread conversations per folder', async () => {
    const folder = await acme.owner.api.createFolder({ body: { name: 'Comptée' } });
    const rows = await Promise.all([conversation('c1@example.com'), conversation('c2@example.com')]);
    for (const { id } of rows) await maya.api.moveConversation({ params: { id }, body: { folderId: folder.id } });
    const unread = async () => (await maya.api.listFolders()).folders.find((one) => one.id === folder.id)?.unread;
    expect(await unread()).toBe(2);
    await maya.api.readConversation({ params: { id: rows[0]!.id }, body: { read: true } });
    expect(await unread()).toBe(1);
  });

  test('leaves conversations unsorted when their folder is removed', async () => {
    const folder = await acme.owner.api.createFolder({ body: { name: 'Éphémère' } });
    const { id } = await conversation('dossier@example.com');
    await maya.api.moveConversation({ params: { id }, body: { folderId: folder.id } });
    await acme.owner.api.removeFolder({ params: { id: folder.id } });
    expect(await view(id)).toMatchObject({ folderId: null });
  });
});

describe('a deleted conversation', () => {
  const raw = mail({ from: 'oubli@example.com', subject: 'À oublier', id: 'oubli-1@example.com' });
  let id: string;
  let messageId: string;

  async function received(text: string) {
    const receiptId = await road.receiveMail(acme, support, text);
    const end = await road.runOf(acme, receiptId);
    const message = await road.db.database.inTenant(acme.tenantId, (em) => em.findOne(Message, { receiptId }));
    return { end, message };
  }

  const listed = async () =>
    (await maya.api.listConversations({ query: { place: 'all', limit: 100 } })).items.map((row) => row.id);

  beforeAll(async () => {
    const { message } = await received(raw);
    ({ conversationId: id, id: messageId } = message!);
    await expect(maya.api.deleteConversation({ params: { id } })).rejects.toMatchObject({ problem: { status: 403 } });
    expect(await listed()).toContain(id);
    await acme.owner.api.addFollowUp({
      params: { id },
      body: { mode: 'remind', dueAt: new Date(Date.now() + 3600_000).toISOString() },
    });
    await acme.owner.api.deleteConversation({ params: { id } });
  });

  test('is seen nowhere, nor anything of it', async () => {
    expect(await listed()).not.toContain(id);
    await expect(view(id)).rejects.toMatchObject({ problem: { status: 404 } });
    const source = await fetch(`${road.url}/inbox/messages/${messageId}/source`, { headers: { cookie: maya.cookie } });
    expect(source.status).toBe(404);
    const { items } = await maya.api.listFollowUps({ query: { state: 'armed' } });
    expect(items.map((item) => item.conversationId)).not.toContain(id);
  });

  test('stays deleted when its mail is fetched again, and what the client writes next opens a new one', async () => {
    for (let time = 0; time < 3; time += 1) expect((await received(raw)).end).toMatchObject({ stage: 'duplicate' });
    expect(await listed()).not.toContain(id);
    const next = await received(
      mail({
        from: 'oubli@example.com',
        subject: 'Re: À oublier',
        headers: { 'In-Reply-To': '<oubli-1@example.com>' },
      }),
    );
    expect(next.message!.conversationId).not.toBe(id);
    expect(await listed()).toContain(next.message!.conversationId);
  });

  test('is not left while a reply of it has no known end', async () => {
    const { message } = await received(mail({ from: 'encore@example.com' }));
    const { conversationId } = message!;
    const reply = await maya.api.writeReply({ params: { id: conversationId }, body: { text: 'Bonjour' } });
    await until('it has left', () => road.sink.to('encore@example.com').length === 1);
    await road.temporal.client.workflow.getHandle(workflowIds.sendReply(acme.tenantId, reply.id)).result();
    await road.db.owner.query(`update reply set state = 'unknown' where conversation_id = $1`, [conversationId]);
    await expect(acme.owner.api.deleteConversation({ params: { id: conversationId } })).rejects.toMatchObject({
      problem: { status: 409, code: 'conversation.reply-unsettled' },
    });
  });

  test('has its rows removed after a week, and its mail is known even then', async () => {
    const rows = async () =>
      (await road.db.owner.query('select from message where conversation_id = $1', [id])).rowCount ?? 0;
    const keepHouse = () =>
      road.temporal.client.workflow.execute(WORKFLOWS.keepHouse, {
        workflowId: `keep-house-${newId()}`,
        taskQueue: TASK_QUEUES.inbox,
      });
    await keepHouse();
    expect(await rows()).toBe(1);
    await road.db.owner.query(`update conversation set deleted_at = now() - interval '8 days' where id = $1`, [id]);
    await keepHouse();
    expect(await rows()).toBe(0);
    expect((await received(raw)).end).toMatchObject({ stage: 'duplicate' });
  });
});

describe('the body of a mail', () => {
  const html = `Content-Type: text/html; charset=utf-8`;

  async function body(text: string, query = ''): Promise<Response> {
    const receiptId = await road.receiveMail(
      acme,
      support,
      mail({ text, headers: { 'Content-Type': html.slice(14) } }),
    );
    await road.runOf(acme, receiptId);
    const message = await road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Message, { receiptId }));
    return fetch(`${road.url}/inbox/messages/${message.id}/body${query}`, { headers: { cookie: maya.cookie } });
  }

  test('is shown in a sandbox that runs nothing', async () => {
    const answer = await body('<p onclick="x()">Bonjour</p><script>alert(1)</script><a href="javascript:x()">a</a>');
    const page = await answer.text();
    expect(page).toContain('<p>Bonjour</p>');
    expect(page).not.toMatch(/script|onclick|javascript:/);
    expect(answer.headers.get('content-security-policy')).toMatch(/^sandbox allow-same-origin .*default-src 'none'/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('loads pictures from elsewhere only when it is asked to', async () => {
    const picture = '<img src="https://tracker.example/p.gif">';
    expect(await (await body(picture)).text()).not.toMatch(/ src="https:/);
    const asked = await body(picture, '?images=remote');
    expect(await asked.text()).toContain('src="https://tracker.example/p.gif"');
    expect(asked.headers.get('content-security-policy')).toContain('img-src');
  });

  test('and its original can be downloaded, by the company it belongs to', async () => {
    const receiptId = await road.receiveMail(acme, support, mail({ subject: 'Original' }));
    await road.runOf(acme, receiptId);
    const message = await road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Message, { receiptId }));
    const source = `${road.url}/inbox/messages/${message.id}/source`;
    const answer = await fetch(source, { headers: { cookie: maya.cookie } });
    expect(await answer.text()).toContain('Subject: Original');
    expect(answer.headers.get('content-disposition')).toContain('attachment');
    expect((await fetch(source, { headers: { cookie: globex.owner.cookie } })).status).toBe(404);
  });
});
