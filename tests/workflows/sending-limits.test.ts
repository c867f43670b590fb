// What a mail provider allows a mailbox, seen at the mail server: nothing lost, nothing twice, never too much.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Reply } from '#domain/conversations/reply.ts';
import { tellReplyChanged } from '#domain/record/run-request.ts';
import { Answers } from '../support/answers.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

const A_MINUTE_MS = 60_000;

let road: Road;
let acme: Company;
let maya: Person;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  maya = await road.person(acme, 'agent', 'Maya');
});

beforeEach(() => {
  road.sink.faults.length = 0;
});

afterAll(() => road?.close());

const held = () =>
  road.db.database.inTenant(acme.tenantId, (em) =>
    em.find(Reply, { state: 'approved', failure: 'sending-limit' }, { orderBy: { notBefore: 'asc' } }),
  );

/** Everything that has happened is a minute further away. */
async function aMinutePasses(): Promise<void> {
  await road.db.database.inTenant(acme.tenantId, async (em) => {
    await em.execute(
      `update reply set attempted_at = attempted_at - interval '1 minute',
                        not_before = not_before - interval '1 minute'`,
    );
    for (const { id } of await em.find(Reply, { state: 'approved' })) tellReplyChanged(em, acme.tenantId, id);
  });
}

test('ten answers by a mailbox that may send four a minute leave four by four, each once', async () => {
  const mailbox = await road.mailbox(acme, 'support@acme.test');
  await acme.owner.api.changeIntegration({
    params: { id: mailbox },
    body: { sendingLimit: { count: 4, per: 'minute' } },
  });
  const answers = new Answers(road, acme, mailbox);
  const written = await Promise.all(Array.from({ length: 10 }, () => answers.write(maya)));
  const sent = () => written.filter(({ mails }) => mails().length > 0).length;
  await until('six wait for their moment', async () => (await held()).length === 6 && sent() === 4);

  const waiting = await held();
  const firstLeft = Math.min(...(await Promise.all(written.map(({ row }) => row()))).map(leftAt));
  const minutes = waiting.map(({ notBefore }) => Math.floor((notBefore.getTime() - firstLeft) / A_MINUTE_MS));
  expect(minutes).toEqual([1, 1, 1, 1, 2, 2]);
  const { items } = await maya.api.listOutbox({ query: { state: 'on-its-way' } });
  expect(items.map(({ failure }) => failure)).toEqual(Array(6).fill('sending-limit'));

  await aMinutePasses();
  await until('four more have left', async () => sent() === 8 && (await held()).length === 2);
  await aMinutePasses();
  await Promise.all(written.map(({ inState }) => inState('sent')));
  expect(written.map(({ mails }) => mails().length)).toEqual(Array(10).fill(1));
});

test('a mailbox whose provider says that it was too much rests, and then everything leaves once', async () => {
  const answers = new Answers(road, acme, await road.mailbox(acme, 'contact@acme.test'), 'resting');
  road.sink.faults.push({ at: 'sender', code: 421, text: '4.7.0 Too many messages, slow down' });
  const first = await answers.write(maya);
  await until('the first was refused', async () => (await first.row()).failure === 'sending-limit');
  const second = await answers.write(maya);
  const { notBefore } = await until('the second is held back', async () => {
    const row = await second.row();
    return row.failure === 'sending-limit' && row;
  });
  expect(notBefore.getTime()).toBeGreaterThan(Date.now() - 3_000);
  const ends = await Promise.all([first.inState('sent'), second.inState('sent')]);
  expect(ends.map(({ attempts }) => attempts)).toEqual([2, 1]);
  expect([first.mails().length, second.mails().length]).toEqual([1, 1]);
});

function leftAt({ attemptedAt }: Reply): number {
  return attemptedAt?.getTime() ?? Number.POSITIVE_INFINITY;
}
