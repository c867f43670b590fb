// A worker killed between and inside the steps from an approved draft to its mail and its follow-up.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FaultRounds, MESSAGES, ROUNDS } from '../support/fault-rounds.ts';
import { until } from '../support/until.ts';

let rounds: FaultRounds;

beforeAll(async () => {
  rounds = await FaultRounds.open();
}, 120_000);

afterAll(() => rounds?.close());

const worker = () => rounds.house.workers[0]!;

const POINTS = [
  ...['reviewDraft', 'sendReply', 'scheduleFollowUp', 'fireFollowUp'].flatMap((step) => [
    `${step}.before_commit`,
    `${step}.after_commit`,
  ]),
  'send.after_intent',
  'send.before_dot',
];

describe('a worker killed', () => {
  test.each(POINTS)(
    'at %s costs nobody anything',
    async (point) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        await rounds.round(worker(), point, 1 + (count % MESSAGES));
      }
    },
    120_000 * ROUNDS,
  );

  test.each(['send.after_dot_before_250', 'send.after_250_before_record'])(
    'at %s leaves an outcome unknown, listed, and settled by a person without a second mail',
    async (point) => {
      const { api, house } = rounds;
      for (let count = 0; count < ROUNDS; count += 1) {
        const outcomes = await rounds.round(worker(), point, 1 + (count % MESSAGES));
        expect(outcomes).toContain('unknown');
        const { items } = await api.listOutbox();
        for (const { id, to } of items.filter((item) => item.state === 'unknown')) {
          const arrived = house.sink.to(to).length === 1;
          await api.judgeReply({ params: { id }, body: { verdict: arrived ? 'it-was-sent' : 'send-again' } });
          await until('the client has exactly one mail', () => house.sink.to(to).length === 1);
        }
      }
    },
    120_000 * ROUNDS,
  );
});
