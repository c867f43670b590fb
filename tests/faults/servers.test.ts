// The API, PostgreSQL and Temporal killed in the middle of the traffic.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { FaultRounds, MESSAGES, ROUNDS } from '../support/fault-rounds.ts';
import { until } from '../support/until.ts';

let rounds: FaultRounds;

beforeAll(async () => {
  rounds = await FaultRounds.open();
}, 120_000);

afterAll(() => rounds?.close());

describe('the API killed', () => {
  test.each(['api.before_insert', 'api.after_commit_before_ack'])(
    'at %s loses no message it accepted',
    async (point) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        const outcomes = await rounds.round(rounds.house.api, point, 1 + (count % MESSAGES));
        expect(outcomes).toEqual(Array(MESSAGES).fill('sent'));
      }
    },
    120_000 * ROUNDS,
  );
});

describe('PostgreSQL away for longer', () => {
  test('finds the live feed listening once, and only once, when it comes back', async () => {
    const { postgres } = rounds.house;
    await postgres.process.stop();
    const goneSince = Date.now();
    await until('it has been away for six seconds', () => Date.now() - goneSince > 6_000);
    await postgres.process.restart();
    const listeners = async () => {
      const [row] = await rounds.house.ask<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where query = 'listen relais_event'",
        [],
        postgres.url('relais'),
      );
      return row?.n ?? 0;
    };
    await until('the feed listens again', async () => (await listeners()) > 0, 30_000);
    const outcome = await rounds.story(`camille-${newId().slice(-12)}@example.com`);
    expect(outcome).toBe('sent');
    expect(await listeners()).toBe(1);
  }, 120_000);
});

describe('killed in the middle of the traffic', () => {
  test.each([
    ['PostgreSQL', () => rounds.house.postgres.process],
    ['Temporal', () => rounds.house.temporal],
  ] as const)(
    '%s is missed by nobody',
    async (_name, target) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        const clients = Array.from({ length: MESSAGES * 2 }, () => `camille-${newId().slice(-12)}@example.com`);
        const stories = clients.map((client) => rounds.story(client));
        await until('the first message is on its way', async () => {
          const [row] = await rounds.house
            .ask<{ n: number }>(
              "select count(*)::int as n from receipt where created_at > now() - interval '10 seconds'",
            )
            .catch(() => [{ n: 0 }]);
          return (row?.n ?? 0) > 0;
        });
        process.kill(target().pid!, 'SIGKILL');
        const outcomes = await Promise.all(stories);
        await until('it answers again', () => rounds.house.ask('select 1').catch(() => null), 30_000);
        const counted = await rounds.account(clients);
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
