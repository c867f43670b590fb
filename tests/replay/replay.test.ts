import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';

const FOLDER = path.join(import.meta.dirname, 'histories');

type Payload = { data?: string };
type Event = {
  eventType: string;
  markerRecordedEventAttributes?: { markerName: string; details: Record<string, { payloads: Payload[] }> };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
};
type Recorded = { workflowId: string; events: Event[] };

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

function read(name: string): Recorded {
  return JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), 'utf8'));
}

function replay({ workflowId, ...history }: Recorded): Promise<void> {
  const workflowBundle = { codePath: process.env.TEST_BUNDLE! };
  return Worker.runReplayHistory({ workflowBundle }, historyFromJSON(history), workflowId);
}

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => {}) });
});

describe('today’s workflows replay the recorded run', () => {
  test.each(names)('%s', async (name) => {
    await replay(read(name));
  });

  test('of every branch of receiveMessage', () => {
    const branches = names.filter((name) => name.startsWith('receiveMessage.')).map((name) => name.split('.')[1]);
    expect(branches).toEqual(
      expect.arrayContaining([
        'set-aside',
        'duplicate',
        'filtered',
        'no-reply',
        'sorted-by-model',
        'left-for-an-agent',
        'model-failed-to-sort',
        'nothing-to-say',
        'draft-from-article',
        'automatic',
        'looked-again-later',
        'approved',
        'discarded',
        'regenerated',
        'superseded',
        'decided-by-operator',
        'deadline-remind',
        'deadline-send',
        'deadline-discard',
      ]),
    );
  });
});

describe('a doctored history', () => {
  /** Every local step but the first took place under another name. */
  function rename(recorded: Recorded): Recorded {
    let seen = 0;
    for (const event of recorded.events) {
      const marker = event.markerRecordedEventAttributes;
      if (!marker) continue;
      seen += 1;
      if (seen === 1) continue;
      const payload = marker.details.data!.payloads[0]!;
      const data = JSON.parse(Buffer.from(payload.data!, 'base64').toString());
      payload.data = Buffer.from(JSON.stringify({ ...data, activity_type: 'somethingElse' })).toString('base64');
    }
    return recorded;
  }

  /** Two neighbouring steps have changed places. */
  function swap(recorded: Recorded): Recorded {
    const markers = recorded.events.filter((event) => event.markerRecordedEventAttributes);
    const [, second, third] = markers.map((event) => event.markerRecordedEventAttributes!.details);
    markers[1]!.markerRecordedEventAttributes!.details = third!;
    markers[2]!.markerRecordedEventAttributes!.details = second!;
    return recorded;
  }

  test.each([
    ['with a step of another name', rename],
    ['with two steps that changed places', swap],
  ])('%s is refused', async (_name, doctor) => {
    await expect(replay(doctor(read('receiveMessage.approved')))).rejects.toThrow(DeterminismViolationError);
  });
});

describe('a recorded run', () => {
  test.each(names)('of %s carries ids and codes, and nothing personal', (name) => {
    const clear = readFileSync(path.join(FOLDER, `${name}.json`), 'utf8').replace(
      /"data": "([^"]+)"/g,
      (_, data: string) => Buffer.from(data, 'base64').toString('utf8'),
    );
    for (const secret of ['camille', 'example.com', '@acme.test', '#12345', 'Bonjour', 'Livraison']) {
      expect(clear.toLowerCase()).not.toContain(secret.toLowerCase());
    }
  });
});
