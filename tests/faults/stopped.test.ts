// A worker that stands still in the middle of a reply, as a machine out of memory makes it, and goes on when another one has
// long taken over.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { FaultRounds, ROUNDS } from '../support/fault-rounds.ts';
import { until } from '../support/until.ts';

type ReplyRow = { state: string; attempts: number };

let rounds: FaultRounds;

beforeAll(async () => {
  rounds = await FaultRounds.open({ workers: 2 });
}, 120_000);

afterAll(() => rounds?.close());

describe('a worker that stands still', () => {
  test.each([
    // Nothing has left: the next attempt will send it, and this one must not.
    ['send.before_dot', 'it is being tried anew', ({ attempts }: ReplyRow) => attempts > 1],
    // It may have left: nobody sends it again, and what the first one hears settles it.
    ['send.after_dot_before_250', 'its outcome is unknown', ({ state }: ReplyRow) => state === 'unknown'],
  ])(
    'at %s and goes on when %s sends no second mail',
    async (point, what, hasTakenOver) => {
      const { house } = rounds;
      const [still, other] = house.workers;
      for (let count = 0; count < ROUNDS; count += 1) {
        await other!.stop();
        const stopped = await house.arm(still!, point, 1, 'SIGSTOP');
        const client = `camille-${newId().slice(-12)}@example.com`;
        const story = rounds.story(client);
        await stopped();
        await other!.restart();
        await until(what, async () => hasTakenOver(await replyTo(client)), 60_000);
        process.kill(still!.pid!, 'SIGCONT');
        await story;
        await until('it is sent', async () => (await replyTo(client)).state === 'sent', 60_000);
        await until('nobody speaks to the mail server any more', () => !house.sink.isBusy);
        expect(house.sink.to(client)).toHaveLength(1);
      }
    },
    180_000 * ROUNDS,
  );
});

async function replyTo(client: string): Promise<ReplyRow> {
  const [row] = await rounds.house.ask<ReplyRow>(
    `select state, attempts from reply join message on message.id = reply.message_id
      where message.recipients @> to_jsonb($1::text)`,
    [client],
  );
  return row!;
}
