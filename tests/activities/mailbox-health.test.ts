// What is said of a mailbox's health is true: whether all of its mail is here, how fresh it is, and since when it fails.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Event } from '#domain/record/event.ts';
import { CuttableLine, Dovecot } from '../support/dovecot.ts';
import { Mailboxes } from '../support/mailboxes.ts';
import { mail } from '../support/mails.ts';
import { type Company, Road } from '../support/road.ts';

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
});

afterAll(async () => {
  await road?.close();
  await dovecot?.stop();
});

const counts = async (id: string) => (await acme.owner.api.countMailbox({ params: { id } })).folders;

describe('the counts of a mailbox', () => {
  const address = 'compte@acme.test';
  let id: string;

  beforeAll(async () => {
    dovecot.addUser(address);
    const twice = mail({ subject: 'Deux fois', from: 'a@example.com' });
    dovecot.append(address, [mail({ subject: 'Une fois', from: 'b@example.com' }), twice, twice, '\u0000']);
    const longAgo = new Date(Date.now() - 400 * 24 * 3600_000);
    dovecot.append(address, [mail({ subject: 'Trop vieux', from: 'c@example.com' })], 'INBOX', longAgo);
    dovecot.append(address, [mail({ subject: 'Gain', from: 'd@example.com' })], 'Junk');
    id = await boxes.connect(acme, { address });
    await boxes.settled(acme);
  });

  test('say of each folder what its server holds since the chosen day, and what became of it', async () => {
    expect(await counts(id)).toEqual([
      {
        path: 'INBOX',
        comparedAt: expect.any(String),
        atServer: 4,
        missing: 0,
        kept: 4,
        messages: 2,
        duplicates: 1,
        setAside: 1,
        pending: 0,
      },
      expect.objectContaining({ path: 'Junk', atServer: 1, missing: 0, kept: 1, messages: 1 }),
    ]);
  });

  test('do not miss what was deleted at the server, and do miss what was never kept', async () => {
    dovecot.expunge(address, 'Subject: Une fois');
    await boxes.sync(acme, id);
    expect((await counts(id))[0]).toMatchObject({ atServer: 3, missing: 0, kept: 4 });
    await road.db.owner.query(
      `delete from receipt where integration_id = $1 and outcome = 'duplicate' and origin ->> 'folder' = 'INBOX'`,
      [id],
    );
    await boxes.sync(acme, id);
    expect((await counts(id))[0]).toMatchObject({ atServer: 3, missing: 1, kept: 3 });
  });

  test('are nobody else’s', async () => {
    await expect(globex.owner.api.countMailbox({ params: { id } })).rejects.toMatchObject({ problem: { status: 404 } });
    const agent = await road.person(acme, 'agent', 'Maya');
    await expect(agent.api.countMailbox({ params: { id } })).rejects.toMatchObject({ problem: { status: 403 } });
  });
});

describe('the health of a mailbox', () => {
  test('says how fresh it is: of old mail nothing', async () => {
    const address = 'frais@acme.test';
    dovecot.addUser(address);
    const old = new Date(Date.now() - 10 * 24 * 3600_000);
    dovecot.append(address, [mail({ subject: 'Ancien', from: 'e@example.com' })], 'INBOX', old);
    const id = await boxes.connect(acme, { address });
    expect(await boxes.row(acme, id)).toMatchObject({ lagMs: null, failingSince: null });
    const received = new Date(Math.floor(Date.now() / 1000) * 1000);
    dovecot.append(address, [mail({ subject: 'Frais', from: 'f@example.com' })], 'INBOX', received);
    await boxes.sync(acme, id);
    const { lastMailAt, lagMs } = await boxes.row(acme, id);
    expect(lastMailAt).toBe(received.toISOString());
    expect(lagMs).toBeGreaterThanOrEqual(0);
  });

  test('says since when it fails and when it is looked at next, and tells those who watch once', async () => {
    const address = 'panne@acme.test';
    dovecot.addUser(address);
    const line = await CuttableLine.to(dovecot.port);
    const id = await boxes.connect(acme, { address, port: line.port });
    await line.close();
    const told = () => road.db.database.inTenant(acme.tenantId, (em) => em.count(Event, { name: 'settings.changed' }));
    const before = await told();
    await boxes.sync(acme, id);
    const first = await boxes.row(acme, id);
    expect(first.failingSince).toBe(first.lastErrorAt);
    expect(Date.parse(first.nextLookAt!)).toBe(Date.parse(first.lastErrorAt!) + 86_400_000);
    await boxes.sync(acme, id);
    const second = await boxes.row(acme, id);
    expect(second.failingSince).toBe(first.failingSince);
    expect(second.lastErrorAt).not.toBe(first.lastErrorAt);
    expect((await told()) - before).toBe(1);
    await boxes.connect(acme, { address });
    await boxes.sync(acme, id);
    expect((await boxes.row(acme, id)).failingSince).toBeNull();
  }, 60_000);
});
