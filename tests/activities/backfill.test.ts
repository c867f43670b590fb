// Older mail of a mailbox, fetched afterwards.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Draft } from '#domain/conversations/draft.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { CuttableLine, Dovecot } from '../support/dovecot.ts';
import { Mailboxes } from '../support/mailboxes.ts';
import { mail } from '../support/mails.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let dovecot: Dovecot;
let boxes: Mailboxes;
let acme: Company;
let globex: Company;

beforeAll(async () => {
  [road, dovecot] = await Promise.all([Road.open(), Dovecot.open()]);
  boxes = new Mailboxes(road, dovecot);
  acme = await road.company('acme');
  globex = await road.company('globex');
  await acme.owner.api.createArticle({ body: { title: 'Commande', text: 'Trois jours.', language: 'fr' } });
  await acme.owner.api.createFolder({
    body: {
      name: 'Tout',
      replyMode: 'validation',
      rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
    },
  });
});

afterAll(async () => {
  await road?.close();
  await dovecot?.stop();
});

const A_DAY_MS = 24 * 3600_000;
const ago = (days: number) => new Date(Date.now() - days * A_DAY_MS);
const day = (date: Date) => date.toISOString().slice(0, 10);

const ended = (id: string, state: string) =>
  until(
    `it is ${state}`,
    async () => {
      const { backfill } = await acme.owner.api.getBackfill({ params: { id } });
      return backfill?.state === state && backfill;
    },
    30_000,
  );

describe('older mail', () => {
  test('is fetched from an earlier day on, sorted, and never answered', async () => {
    const address = 'avant@acme.test';
    dovecot.addUser(address);
    dovecot.append(address, [mail({ subject: 'Très vieux', from: 'a@example.com' })], 'INBOX', ago(200));
    const older = Array.from({ length: 60 }, (_, at) => mail({ subject: `Vieux ${at}`, from: `v${at}@example.com` }));
    dovecot.append(address, older, 'INBOX', ago(60));
    dovecot.append(address, [mail({ subject: 'Récent', from: 'b@example.com' })], 'INBOX', ago(5));
    const id = await boxes.connect(acme, { address, since: day(ago(30)) });
    await boxes.settled(acme);
    expect(await boxes.subjects(acme)).toEqual(['Récent']);
    const params = { id };
    const started = await acme.owner.api.startBackfill({ params, body: { since: day(ago(90)) } });
    expect(started).toMatchObject({ trigger: 'backfill', state: 'running' });
    expect(await ended(id, 'done')).toMatchObject({ seen: 60, remaining: 0, error: null });
    await boxes.settled(acme);
    const messages = await boxes.messages(acme);
    expect(messages).toHaveLength(61);
    expect(messages.filter(({ subject }) => subject.startsWith('Vieux')).every((one) => one.fromBackfill)).toBe(true);
    expect(await boxes.row(acme, id)).toMatchObject({ mailbox: { since: day(ago(90)) } });
    const { folders } = await acme.owner.api.countMailbox({ params });
    expect(folders[0]).toMatchObject({ path: 'INBOX', kept: 61, messages: 61 });
    const answers = await road.db.database.inTenant(acme.tenantId, async (em) => [
      await em.count(Draft, {}),
      await em.count(Reply, {}),
    ]);
    expect(answers).toEqual([0, 0]);
  });

  test('is not fetched twice', async () => {
    const [mailbox] = (await acme.owner.api.listIntegrations()).integrations;
    const params = { id: mailbox!.id };
    await acme.owner.api.startBackfill({ params, body: { since: day(ago(90)) } });
    expect(await ended(params.id, 'done')).toMatchObject({ seen: 0 });
  });

  test('stops when a person says so, and what came stays', async () => {
    const address = 'arret@acme.test';
    const line = await CuttableLine.to(dovecot.port);
    dovecot.addUser(address);
    const older = Array.from({ length: 120 }, (_, at) => mail({ subject: `Ancien ${at}`, from: `w${at}@example.com` }));
    dovecot.append(address, older, 'INBOX', ago(60));
    const id = await boxes.connect(acme, { address, since: day(ago(30)), port: line.port });
    const params = { id };
    let fetches = 0;
    line.onAsked = (words) => {
      if (!/FETCH .*BODY\.PEEK/.test(words)) return;
      fetches += 1;
      // The second bundle waits at the server until the walk is stopped.
      if (fetches === 2) line.hold();
    };
    await acme.owner.api.startBackfill({ params, body: { since: day(ago(90)) } });
    await until('a second bundle is asked for', () => fetches === 2);
    await expect(acme.owner.api.startBackfill({ params, body: { since: day(ago(90)) } })).rejects.toMatchObject({
      problem: { status: 409, code: 'backfill.running' },
    });
    dovecot.append(address, [mail({ subject: 'Tout neuf', from: 'neuf@example.com' })]);
    await acme.owner.api.cancelBackfill({ params });
    line.release();
    expect(await ended(id, 'cancelled')).toMatchObject({ seen: 50 });
    await boxes.sync(acme, id);
    await boxes.settled(acme);
    const subjects = await boxes.subjects(acme);
    expect(subjects.filter((subject) => subject.startsWith('Ancien'))).toHaveLength(50);
    expect(subjects).toContain('Tout neuf');
    await line.close();
  });

  test('goes on after its connection was lost', async () => {
    const address = 'coupe@acme.test';
    const line = await CuttableLine.to(dovecot.port);
    dovecot.addUser(address);
    const older = Array.from({ length: 70 }, (_, at) => mail({ subject: `Coupé ${at}`, from: `x${at}@example.com` }));
    dovecot.append(address, older, 'INBOX', ago(60));
    const id = await boxes.connect(acme, { address, since: day(ago(30)), port: line.port });
    let fetches = 0;
    line.onAsked = (words) => {
      if (!/FETCH .*BODY\.PEEK/.test(words)) return;
      fetches += 1;
      if (fetches === 2) line.cut();
    };
    await acme.owner.api.startBackfill({ params: { id }, body: { since: day(ago(90)) } });
    expect(await ended(id, 'done')).toMatchObject({ seen: 70 });
    await line.close();
  });

  test('is nobody else’s to fetch', async () => {
    const [mailbox] = (await acme.owner.api.listIntegrations()).integrations;
    const params = { id: mailbox!.id };
    const refused = { problem: { status: 404 } };
    await expect(globex.owner.api.startBackfill({ params, body: { since: '2020-01-01' } })).rejects.toMatchObject(
      refused,
    );
    await expect(globex.owner.api.getBackfill({ params })).rejects.toMatchObject(refused);
    await expect(globex.owner.api.cancelBackfill({ params })).rejects.toMatchObject(refused);
  });
});
