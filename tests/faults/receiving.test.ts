// A worker killed between and inside the steps a message goes through until its draft waits.
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { FaultRounds, MESSAGES, ROUNDS } from '../support/fault-rounds.ts';

let rounds: FaultRounds;

beforeAll(async () => {
  rounds = await FaultRounds.open();
}, 120_000);

afterAll(() => rounds?.close());

const worker = () => rounds.house.workers[0]!;

const POINTS = [
  'relay.before_start',
  'relay.after_start',
  ...[
    'recogniseDuplicate',
    'recordMessage',
    'filterBulkMail',
    'classifyMessage',
    'sortConversation',
    'decideReply',
    'draftReply',
  ].flatMap((step) => [`${step}.before_commit`, `${step}.after_commit`]),
];

describe('a worker killed', () => {
  test.each(POINTS)(
    'at %s costs nobody anything',
    async (point) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        // The relay passes its points once for a batch, and several messages may come in one.
        const hits = point.startsWith('relay.') ? 1 : MESSAGES;
        await rounds.round(worker(), point, 1 + (count % hits));
      }
    },
    120_000 * ROUNDS,
  );
});
