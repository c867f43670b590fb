// Kills every process at named points of the road, and counts from outside: nothing lost, nothing recorded twice, no
// second mail, and every outcome that cannot be known listed for a person.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiClient } from '#api/contract/client.ts';
import type { RelaisContract } from '#api/contract/contract.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { Installation, persistently } from '../support/installation.ts';
import { until } from '../support/until.ts';

const ROUNDS = process.env.TEST_SIZE === 'long' ? 20 : 1;
const MESSAGES = 4;
/** Several stories look at once: looking must not be what the machine is busy with. */
const LOOK_EVERY_MS = 150;

let house: Installation;
let api: ApiClient<RelaisContract>;
let webhook: { id: string; secret: string };

beforeAll(async () => {
  house = await Installation.open();
  api = await house.welcome();
  await api.createArticle({ body: { title: 'Où est ma commande ?', text: 'Trois jours ouvrés.', language: 'fr' } });
  await api.createFolder({
    body: {
      name: 'Commandes',
      replyMode: 'validation',
      rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
      followUpMode: 'remind',
      followUpAfterSeconds: 1,
    },
  });
  const created = await api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
  await house.neverClose();
}, 120_000);

afterAll(() => house?.close());

type Outcome = 'sent' | 'unknown';

/** One client's whole story: writes, gets a draft, an agent approves, and the mail goes out or is listed as unknown. */
async function story(client: string): Promise<Outcome> {
  await house.deliver(
    webhook,
    { from: { email: client }, subject: 'Commande', text: 'Bonjour, ma commande ?' },
    client,
  );
  const row = await until(
    `a draft waits for ${client}`,
    async () => {
      const { items } = await persistently(() => api.listConversations({ query: { place: 'to-approve', limit: 100 } }));
      return items.find((item) => item.client.contact === client);
    },
    60_000,
    LOOK_EVERY_MS,
  );
  await persistently(() => approve(row.id, row.waitingDraftId!));
  return until(
    `the reply to ${client} is settled`,
    async () => {
      const view = await persistently(() => api.getConversation({ params: { id: row.id } }));
      const state = view.messages.at(-1)?.reply?.state;
      return state === 'sent' || state === 'unknown' ? state : null;
    },
    60_000,
    LOOK_EVERY_MS,
  );
}

// The agent's own click may have been taken before the connection died: then the second one is told so.
async function approve(conversationId: string, draftId: string): Promise<void> {
  const { draft } = await api.getConversation({ params: { id: conversationId } });
  if (draft?.id !== draftId) return;
  await api.approveDraft({ params: { id: draftId }, body: { version: draft.version } });
}

/** Everything the clients of one round can expect, counted in the tables and at the mail server. */
async function account(clients: string[]) {
  const [counts] = await house.ask<{
    messages: number;
    conversations: number;
    replies: number;
    unfinished: number;
    orphans: number;
  }>(
    `with ours as (
       select conversation.* from conversation join contact_point on contact_point.client_id = conversation.client_id
        where contact_point.value = any($1)
     )
     select (select count(*)::int from message where conversation_id in (select id from ours) and direction = 'inbound') as messages,
            (select count(*)::int from ours) as conversations,
            (select count(*)::int from reply where conversation_id in (select id from ours)) as replies,
            (select count(*)::int from receipt where state = 'kept') as unfinished,
            (select count(*)::int from conversation where not exists (select from message where conversation_id = conversation.id)) as orphans`,
    [clients],
  );
  const mails = clients.map((client) => house.sink.to(client).length);
  return { ...counts!, mails };
}

async function round(target: () => Parameters<Installation['arm']>[0], point: string, hit: number): Promise<Outcome[]> {
  const died = await house.arm(target(), point, hit);
  const clients = Array.from({ length: MESSAGES }, () => `camille-${newId().slice(-12)}@example.com`);
  const outcomes = await Promise.all(clients.map(story));
  await died();
  await until(
    'every follow-up of this round has fired',
    async () => {
      const [row] = await house.ask<{ n: number }>(`select count(*)::int as n from follow_up where state = 'armed'`);
      return row?.n === 0;
    },
    30_000,
  );
  const counted = await account(clients);
  expect(counted).toMatchObject({
    messages: MESSAGES,
    conversations: MESSAGES,
    replies: MESSAGES,
    unfinished: 0,
    orphans: 0,
  });
  // Never a second mail; and none at all only where the outcome is listed as unknown.
  clients.forEach((_, index) => {
    expect(counted.mails[index]).toBeLessThanOrEqual(1);
    if (outcomes[index] === 'sent') expect(counted.mails[index]).toBe(1);
  });
  const { items } = await api.listOutbox();
  expect(items.filter((item) => clients.includes(item.to))).toHaveLength(
    outcomes.filter((outcome) => outcome === 'unknown').length,
  );
  return outcomes;
}

const STEPS = [
  'recogniseDuplicate',
  'recordMessage',
  'filterBulkMail',
  'classifyMessage',
  'sortConversation',
  'decideReply',
  'draftReply',
  'reviewDraft',
  'sendReply',
  'scheduleFollowUp',
  'fireFollowUp',
];

describe('a worker killed', () => {
  const worker = () => house.workers[0]!;
  const points = [
    'relay.before_start',
    'relay.after_start',
    ...STEPS.flatMap((step) => [`${step}.before_commit`, `${step}.after_commit`]),
    'send.after_intent',
    'send.before_dot',
  ];
  test.each(points)(
    'at %s costs nobody anything',
    async (point) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        const outcomes = await round(worker, point, 1 + (count % MESSAGES));
        expect(outcomes).toEqual(Array(MESSAGES).fill('sent'));
      }
    },
    120_000 * ROUNDS,
  );

  test.each(['send.after_dot_before_250', 'send.after_250_before_record'])(
    'at %s leaves one outcome unknown, listed, and settled by a person without a second mail',
    async (point) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        const outcomes = await round(worker, point, 1 + (count % MESSAGES));
        expect(outcomes.filter((outcome) => outcome === 'unknown')).toHaveLength(1);
        const { items } = await api.listOutbox();
        const [unknown] = items.filter((item) => item.state === 'unknown');
        const arrived = house.sink.to(unknown!.to).length === 1;
        await api.judgeReply({
          params: { id: unknown!.id },
          body: { verdict: arrived ? 'it-was-sent' : 'send-again' },
        });
        await until('the client has exactly one mail', () => house.sink.to(unknown!.to).length === 1);
      }
    },
    120_000 * ROUNDS,
  );
});

describe('the API killed', () => {
  test.each(['api.before_insert', 'api.after_commit_before_ack'])(
    'at %s loses no message it accepted',
    async (point) => {
      for (let count = 0; count < ROUNDS; count += 1) await round(() => house.api, point, 1 + (count % MESSAGES));
    },
    120_000 * ROUNDS,
  );
});

describe('killed in the middle of the traffic', () => {
  test.each([
    ['PostgreSQL', () => house.postgres.process],
    ['Temporal', () => house.temporal],
  ] as const)(
    '%s is missed by nobody',
    async (_name, target) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        const clients = Array.from({ length: MESSAGES * 2 }, () => `camille-${newId().slice(-12)}@example.com`);
        const stories = clients.map(story);
        await until('the first message is on its way', async () => {
          const [row] = await house
            .ask<{ n: number }>(
              "select count(*)::int as n from receipt where created_at > now() - interval '10 seconds'",
            )
            .catch(() => [{ n: 0 }]);
          return (row?.n ?? 0) > 0;
        });
        process.kill(target().pid!, 'SIGKILL');
        const outcomes = await Promise.all(stories);
        await until('it answers again', () => house.ask('select 1').catch(() => null), 30_000);
        const counted = await account(clients);
        expect(counted).toMatchObject({
          messages: clients.length,
          conversations: clients.length,
          replies: clients.length,
          orphans: 0,
        });
        clients.forEach((_, index) => {
          expect(counted.mails[index]).toBeLessThanOrEqual(1);
          if (outcomes[index] === 'sent') expect(counted.mails[index]).toBe(1);
        });
      }
    },
    180_000 * ROUNDS,
  );
});
