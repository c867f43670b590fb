import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createLog } from '#domain/record/log.ts';
import { startSendReply, tellReplyChanged } from '#domain/record/run-request.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { Relay } from '#workers/relay.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

// A run that is about to end refuses a start, and hears a signal: so it is told first, and started when it has ended.

const RUNS = 30;

let road: Road;
let acme: Company;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  await road.stopWorkers();
});

afterAll(() => road?.close());

test('of what one moment asks of a run the signal has come before the start is tried', async () => {
  const { workflow } = road.temporal.client;
  const steps: string[] = [];
  const start = workflow.start.bind(workflow) as (type: string, options: { workflowId: string }) => Promise<never>;
  const getHandle = workflow.getHandle.bind(workflow);
  jest.spyOn(workflow, 'start').mockImplementation(((type: string, options: { workflowId: string }) => {
    steps.push(`${options.workflowId} start`);
    return start(type, options);
  }) as never);
  jest.spyOn(workflow, 'getHandle').mockImplementation(((id: string) => {
    const handle = getHandle(id);
    const signal = handle.signal.bind(handle) as (name: string, input: unknown) => Promise<void>;
    return Object.assign(handle, {
      signal: (name: string, input: unknown) => signal(name, input).finally(() => void steps.push(`${id} told`)),
    });
  }) as never);

  const replies = Array.from({ length: RUNS }, newId);
  await road.db.database.inTenant(acme.tenantId, async (em) => {
    for (const id of replies) {
      startSendReply(em, acme.tenantId, id);
      tellReplyChanged(em, acme.tenantId, id);
    }
  });
  const relay = new Relay({
    database: road.db.database,
    listenUrl: road.db.url,
    temporal: road.temporal.client,
    log: createLog('tests', 'error'),
  });
  relay.start();
  await until('all is passed on', async () => {
    const { rows } = await road.db.owner.query('select 1 from run_request');
    return rows.length === 0;
  });
  await relay.stop();
  for (const id of replies) {
    const ofThis = steps.filter((step) => step.includes(id)).map((step) => step.split(' ')[1]);
    expect(ofThis).toEqual(['told', 'start']);
  }
});
