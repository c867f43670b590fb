import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let acme: Company;
let globex: Company;
let webhook: { id: string; secret: string };

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  const created = await acme.owner.api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
});

afterAll(() => road?.close());

type Seen = { id: string; name: string; conversationId: string | null };

/** An open browser: collects events until it is closed. */
async function watch(person: Person, lastEventId?: string) {
  const controller = new AbortController();
  const seen: Seen[] = [];
  let ready = false;
  const response = await fetch(`${road.url}/inbox/events`, {
    headers: { cookie: person.cookie, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
    signal: controller.signal,
  });
  const reading = (async () => {
    const decoder = new TextDecoder();
    let buffer = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      buffer += decoder.decode(chunk, { stream: true });
      const blocks = buffer.split('\n\n');
      buffer = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
        if (field('event') === 'ready') ready = true;
        if (field('event') === 'event') seen.push({ id: field('id')!, ...JSON.parse(field('data')!) });
      }
    }
  })().catch(() => {});
  await until('the stream is open', () => ready);
  return {
    seen,
    close: async () => {
      controller.abort();
      await reading;
    },
  };
}

const write = (text: string) => road.deliver(webhook, { from: { email: 'camille@example.com' }, text });

describe('the live feed', () => {
  test('tells an open browser of a new message and its sorting, and no other company’s', async () => {
    const browser = await watch(acme.owner);
    const theirs = await watch(globex.owner);
    await write('Bonjour');
    await until('both are told', () =>
      ['message.received', 'conversation.sorted'].every((name) => browser.seen.some((event) => event.name === name)),
    );
    expect(browser.seen[0]?.conversationId).toBeTruthy();
    expect(theirs.seen).toEqual([]);
    await Promise.all([browser.close(), theirs.close()]);
  });

  test('replays what a browser missed, nothing twice and nothing left out', async () => {
    const browser = await watch(acme.owner);
    await write('Avant');
    const first = await until('the first event', () =>
      browser.seen.find((event) => event.name === 'conversation.sorted'),
    );
    await browser.close();
    await Promise.all(Array.from({ length: 10 }, (_, index) => write(`Pendant ${index}`)));
    const back = await watch(acme.owner, first.id);
    await until(
      'all ten have been sorted',
      () =>
        back.seen.filter((event) => event.name === 'conversation.sorted' && Number(event.id) > Number(first.id))
          .length === 10,
    );
    const ids = back.seen.map((event) => event.id);
    expect(new Set(ids).size).toBe(ids.length);
    await back.close();
  });

  test('survives the loss of its database connection', async () => {
    const browser = await watch(acme.owner);
    await road.db.owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen relais_event%' and datname = current_database()`,
    );
    await write('Après la coupure');
    await until('it is told all the same', () => browser.seen.some((event) => event.name === 'message.received'));
    await browser.close();
  });

  test('is not silenced by pages that were left while they opened', async () => {
    const browser = await watch(acme.owner);
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => {
        const signal = AbortSignal.timeout(1 + index);
        return fetch(`${road.url}/inbox/events`, { headers: { cookie: acme.owner.cookie }, signal })
          .then((response) => response.body?.cancel())
          .catch(() => {});
      }),
    );
    const late = await watch(acme.owner);
    await write('Après les départs');
    for (const { seen } of [browser, late]) {
      await until('it is told all the same', () => seen.some((event) => event.name === 'message.received'));
    }
    await Promise.all([browser.close(), late.close()]);
  });

  test('is closed to visitors', async () => {
    expect((await fetch(`${road.url}/inbox/events`)).status).toBe(401);
  });
});
