import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Dependencies } from '#activities/dependencies.ts';
import { createMailbox } from '#activities/mailbox.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { MailboxCursor } from '#domain/integrations/mailbox-cursor.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { TASK_QUEUES, WORKFLOWS, workflowIds } from '#workflows/contract.ts';
import { CuttableLine, Dovecot } from '../support/dovecot.ts';
import { Mailboxes } from '../support/mailboxes.ts';
import { mail } from '../support/mails.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

const LONG = process.env.TEST_SIZE === 'long';
const MANY = LONG ? 10_000 : 300;
const PATIENCE_MS = LONG ? 3_600_000 : 120_000;

let road: Road;
let dovecot: Dovecot;
let line: CuttableLine;
let boxes: Mailboxes;
let acme: Company;
let globex: Company;

beforeAll(async () => {
  [road, dovecot] = await Promise.all([Road.open(), Dovecot.open()]);
  line = await CuttableLine.to(dovecot.port);
  boxes = new Mailboxes(road, dovecot);
  acme = await road.company('acme');
  globex = await road.company('globex');
});

afterAll(async () => {
  await line?.close();
  await road?.close();
  await dovecot?.stop();
});

const inAcme = <Result>(work: Parameters<typeof road.db.database.inTenant<Result>>[1]) =>
  road.db.database.inTenant(acme.tenantId, work);

function look(integrationId: string, workflowId: string, syncId?: string) {
  return road.temporal.client.workflow.start(WORKFLOWS.syncMailbox, {
    args: [{ tenantId: acme.tenantId, integrationId, ...(syncId ? { syncId } : {}) }],
    workflowId,
    taskQueue: TASK_QUEUES.inbox,
  });
}

describe('a large mailbox', () => {
  const address = 'support@acme.test';
  let id: string;

  test(
    'whose server is killed, and whose line is cut, while it is read loses nothing and repeats nothing',
    async () => {
      dovecot.addUser(address);
      id = await boxes.connect(acme, { address, port: line.port });
      // Only what is asked for by hand reads it from now on.
      await acme.owner.api.changeIntegration({ params: { id }, body: { state: 'paused' } });
      const mails = Array.from({ length: MANY }, (_, at) =>
        mail({ subject: `Lettre ${at}`, from: `client${at}@example.com`, text: `Bonjour ${at} ${'x'.repeat(2_000)}` }),
      );
      await fill(address, mails);
      const faults = [() => line.cut(), () => void dovecot.kill().then(() => dovecot.start()), () => line.cut()];
      let heard = 0;
      line.onSent = (bytes) => {
        // In the middle of a bundle, a different one each time.
        if (bytes < 30_000 * (heard + 1) || heard === faults.length) return;
        faults[heard++]!();
      };
      const watching = new AbortController();
      const torn = watchCursor(id, watching.signal);
      const view = await boxes.sync(acme, id, PATIENCE_MS);
      watching.abort();
      expect(heard).toBe(3);
      expect(view).toMatchObject({ state: 'done', new: MANY, duplicates: 0, failed: 0, remaining: 0 });
      expect(await torn).toEqual([]);
      const subjects = await boxes.subjects(acme);
      expect(subjects).toHaveLength(MANY);
      expect(new Set(subjects).size).toBe(MANY);
    },
    PATIENCE_MS,
  );

  test(
    'whose numbers have all changed gives exactly the mails that are new',
    async () => {
      await dovecot.renewUidValidity(address);
      dovecot.append(
        address,
        Array.from({ length: 10 }, (_, at) => mail({ subject: `Neuf ${at}`, from: `neuf${at}@example.com` })),
      );
      const view = await boxes.sync(acme, id, PATIENCE_MS);
      expect(view).toMatchObject({ state: 'done', seen: MANY + 10, new: 10, duplicates: MANY, failed: 0 });
      expect(await boxes.subjects(acme)).toHaveLength(MANY + 10);
    },
    PATIENCE_MS,
  );

  test('belongs to its company alone', async () => {
    expect(await boxes.messages(globex)).toEqual([]);
    const { items } = await globex.owner.api.listConversations({ query: { place: 'all' } });
    expect(items).toEqual([]);
  });
});

/** A bundle at a time, so that the servers in this process go on answering. */
async function fill(address: string, mails: string[]): Promise<void> {
  for (let done = 0; done < mails.length; done += 500) {
    dovecot.append(address, mails.slice(done, done + 500));
    await nextTurn();
  }
}

/** Looks at cursor and receipts again and again, as a crash would find them. @returns where they did not agree */
async function watchCursor(integrationId: string, signal: AbortSignal): Promise<unknown[]> {
  const torn: unknown[] = [];
  await until(
    'the watch is over',
    async () => {
      const { rows } = await road.db.owner.query(
        `select last_uid, (select coalesce(max((origin ->> 'uid')::bigint), 0) from receipt
                            where integration_id = $1 and origin ->> 'uidValidity' = cursor.uid_validity::text) as kept
           from mailbox_cursor as cursor where integration_id = $1`,
        [integrationId],
      );
      torn.push(...rows.filter((row) => row.last_uid !== row.kept));
      return signal.aborted;
    },
    PATIENCE_MS,
  );
  return torn;
}

describe('two looks at one mailbox', () => {
  const address = 'deux@acme.test';
  let id: string;

  beforeAll(async () => {
    dovecot.addUser(address);
    id = await boxes.connect(acme, { address, port: line.port });
  });

  test('never run both: the schedule passes it by, and a second click is shown the first one', async () => {
    dovecot.append(address, [mail({ subject: 'Une fois', from: 'une@example.com' })]);
    line.hold();
    const first = await acme.owner.api.syncIntegration({ params: { id } });
    await until('the first one reads', () => !line.idle);
    const second = await acme.owner.api.syncIntegration({ params: { id } });
    expect(second.id).toBe(first.id);
    const scheduled = await look(id, workflowIds.syncMailbox(acme.tenantId, newId()));
    expect(await scheduled.result()).toBe('skipped');
    line.release();
    await until(
      'the first one is done',
      async () => (await acme.owner.api.getSync({ params: { id: first.id } })).state === 'done',
    );
    await boxes.settled(acme);
    expect((await boxes.subjects(acme)).filter((subject) => subject === 'Une fois')).toHaveLength(1);
  });

  test(
    'by four workers at once is one that reads all of it',
    async () => {
      const mailbox = 'quatre@acme.test';
      dovecot.addUser(mailbox);
      const own = await boxes.connect(acme, { address: mailbox, port: line.port });
      const count = LONG ? 2_000 : 60;
      const subjects = Array.from({ length: count }, (_, at) => `Quatre ${at}`);
      line.hold();
      dovecot.append(
        mailbox,
        subjects.map((subject, at) => mail({ subject, from: `quatre${at}@example.com` })),
      );
      const looks = await Promise.all(
        Array.from({ length: 4 }, () => look(own, workflowIds.syncMailbox(acme.tenantId, newId()))),
      );
      await until('one of them reads', () => !line.idle);
      line.release();
      const ends = await Promise.all(looks.map((one) => one.result()));
      expect(ends.filter((end) => end === 'skipped')).toHaveLength(3);
      expect(ends).toContainEqual({ seen: count, kept: count });
      await boxes.settled(acme, PATIENCE_MS);
      const arrived = (await boxes.subjects(acme)).filter((subject) => subject.startsWith('Quatre'));
      expect(arrived.sort()).toEqual(subjects.sort());
      expect(await inAcme((em) => em.count(Receipt, { integrationId: own }))).toBe(count);
    },
    PATIENCE_MS,
  );

  test('asked for in the same moment end as one that read and one that was told so', async () => {
    const ids = [newId(), newId()];
    await inAcme(async (em) => {
      for (const syncId of ids) em.create(Sync, { id: syncId, integrationId: id, trigger: 'person' });
    });
    line.hold();
    const looks = await Promise.all(
      ids.map((syncId) => look(id, workflowIds.syncByHand(acme.tenantId, syncId), syncId)),
    );
    const states = () =>
      inAcme(async (em) => (await em.find(Sync, { id: { $in: ids } })).map((sync) => sync.state).sort());
    await until('one of them is told so', async () => (await states()).includes('cancelled'));
    line.release();
    await Promise.all(looks.map((one) => one.result()));
    expect(await states()).toEqual(['cancelled', 'done']);
  });

  test('of which one ends twice, because its worker died once that was committed, do not wait for it', async () => {
    const { beginSync, finishSync } = createMailbox({ database: road.db.database } as Dependencies);
    const begin = (syncId: string) => beginSync({ tenantId: acme.tenantId, integrationId: id, syncId, byHand: false });
    const finish = (syncId: string) =>
      finishSync({ tenantId: acme.tenantId, integrationId: id, syncId, problem: null, needsPerson: false });
    const [first, second] = [newId(), newId()];
    expect(await begin(first)).toBe(true);
    expect(await begin(second)).toBe(false);
    await finish(first);
    await finish(first);
    expect(await inAcme((em) => em.count(Sync, { id: first }))).toBe(0);
    expect(await begin(second)).toBe(true);
    await finish(second);
  });

  test('are told apart from a holder who died: after half a minute of silence the next one takes over', async () => {
    const hold = (interval: string) =>
      road.db.owner.query(
        `update integration set syncing_by = $2, syncing_until = now() + $3::interval where id = $1`,
        [id, newId(), interval],
      );
    await hold('10 seconds');
    expect(await (await look(id, newId())).result()).toBe('skipped');
    await hold('-1 second');
    expect(await (await look(id, newId())).result()).toEqual({ seen: 0, kept: 0 });
  });
});

describe('a mailbox taken away while it is read', () => {
  test.each([
    ['paused', (id: string) => acme.owner.api.changeIntegration({ params: { id }, body: { state: 'paused' } })],
    ['removed', (id: string) => acme.owner.api.removeIntegration({ params: { id } })],
  ])('because it was %s keeps nothing more', async (what, takeAway) => {
    const address = `${what}@acme.test`;
    dovecot.addUser(address);
    const id = await boxes.connect(acme, { address, port: line.port });
    dovecot.append(address, [mail({ subject: `Trop tard ${what}` })]);
    line.hold();
    const scheduled = await look(id, workflowIds.syncMailbox(acme.tenantId, newId()));
    await until('it reads', () => !line.idle);
    await takeAway(id);
    line.release();
    expect(await scheduled.result()).toEqual({ seen: 0, kept: 0 });
    expect(await boxes.subjects(acme)).not.toContain(`Trop tard ${what}`);
    const integration = await inAcme((em) => em.findOneOrFail(Integration, { id }));
    expect(integration).toMatchObject({ lastError: null, syncingUntil: null });
  });
});

describe('poisonous mail', () => {
  const address = 'poison@acme.test';
  const from = 'poison@example.com';
  let id: string;

  const setAside = async () =>
    (await acme.owner.api.listSetAside({ query: {} })).items.filter((item) => item.integrationId === id);
  const arrived = async () => (await boxes.subjects(acme)).filter((subject) => subject.startsWith('Poison'));

  beforeAll(async () => {
    dovecot.addUser(address);
    id = await boxes.connect(acme, { address });
    // Its evidence is cut to length in the middle of a character.
    await acme.owner.api.createFolder({
      body: { name: 'Emoji', rules: [{ field: 'content', operator: 'matches', value: '😀+' }] },
    });
  });

  test('is kept or set aside where everybody sees it, and the others arrive', async () => {
    const parts = (count: number) =>
      `--b\n${Array.from({ length: count }, () => 'Content-Type: image/png\n\nx').join('\n--b\n')}\n--b--`;
    const multipart = (subject: string, text: string) =>
      mail({ subject, from, text, headers: { 'Content-Type': 'multipart/mixed; boundary=b' } });
    dovecot.append(address, [
      mail({ subject: 'Poison avant', from }),
      multipart(
        'Poison MIME cassé',
        '--b\nContent-Type: multipart/mixed; boundary=\n\n--b\nContent-Transfer-Encoding: base64\n\n%%%',
      ),
      mail({
        subject: 'Poison jeu de caractères',
        from,
        headers: { 'Content-Type': 'text/plain; charset=x-\u00ff-utf-99' },
      }),
      Buffer.from(mail({ subject: 'Poison NUL\0\0', from: `"Nul\0" <${from}>`, text: 'a\0b\0' })),
      mail({ subject: `Poison emoji ${'😀'.repeat(400)}`, from, text: `${'😀'.repeat(150)} commande` }),
      multipart('Poison 10 000 parties', parts(10_000)),
      multipart('Poison 300 fichiers', parts(300)),
      mail({ subject: 'Poison énorme', from, text: `Voici tout.\n${'x'.repeat(70).concat('\n').repeat(400_000)}` }),
      Buffer.from(Array.from({ length: 3_000 }, (_, at) => 128 + ((at * 31) % 128))),
      mail({ subject: 'Poison après', from, date: new Date('2099-01-01') }),
    ]);
    const view = await boxes.sync(acme, id);
    expect(view).toMatchObject({ state: 'done', seen: 10, new: 8, failed: 2, pending: 0 });
    expect(await arrived()).toEqual([
      'Poison 300 fichiers',
      'Poison MIME cassé',
      expect.stringMatching(/^Poison NUL/),
      'Poison après',
      'Poison avant',
      expect.stringMatching(/^Poison emoji 😀+$/u),
      'Poison jeu de caractères',
      'Poison énorme',
    ]);
    expect((await setAside()).map((item) => item.problem).sort()).toEqual([
      'The mail could not be read: Max allowed child nodes exceeded',
      'This is not a mail: it has no headers and no content.',
    ]);
  });

  test('larger than 26 MB shows its beginning, and says so', async () => {
    const [message] = (await boxes.messages(acme)).filter((one) => one.subject === 'Poison énorme');
    expect(message?.text).toMatch(/^Voici tout\./);
    const receipt = await inAcme((em) => em.findOneOrFail(Receipt, { id: message!.receiptId! }, { populate: ['raw'] }));
    expect(receipt.origin).toMatchObject({ truncated: true });
    expect(receipt.origin.size).toBeGreaterThan(28_000_000);
    expect(receipt.raw!.length).toBeLessThan(300_000);
    const { steps } = await acme.owner.api.listSteps({ params: { id: message!.conversationId } });
    expect(JSON.stringify(steps)).toContain('only its beginning was kept');
  });

  test('that was set aside can be tried again, and comes back when it is still unreadable', async () => {
    const [before] = await setAside();
    await acme.owner.api.retryReceipt({ params: { id: before!.id } });
    await boxes.settled(acme);
    const receipt = await inAcme((em) => em.findOneOrFail(Receipt, { id: before!.id }));
    expect(receipt).toMatchObject({ state: 'set_aside', runs: 2 });
    expect(await setAside()).toHaveLength(2);
  });

  test('at which the server itself hangs up is set aside, and read once the server can', async () => {
    dovecot.append(
      address,
      [1, 2, 3].map((at) => mail({ subject: `Poison serveur ${at}`, from: `serveur${at}@example.com` })),
    );
    dovecot.spoil(address, 'Subject: Poison serveur 2');
    expect(await boxes.sync(acme, id)).toMatchObject({ state: 'done', seen: 3, new: 2, failed: 1 });
    const withheld = (await setAside()).find(
      (item) => item.problem === 'The mail server could not hand this mail over.',
    );
    dovecot.mend(address, 'Subject: Poison serveur 2');
    await acme.owner.api.retryReceipt({ params: { id: withheld!.id } });
    await until('it is there', async () => (await arrived()).includes('Poison serveur 2'));
    expect((await arrived()).filter((subject) => subject.startsWith('Poison serveur'))).toHaveLength(3);
    expect(await setAside()).toHaveLength(2);
  });

  test('moves the cursor past it', async () => {
    const cursor = await inAcme((em) => em.findOneOrFail(MailboxCursor, { integrationId: id, path: 'INBOX' }));
    expect(cursor.lastUid).toBe(13);
    expect(await boxes.sync(acme, id)).toMatchObject({ seen: 0 });
  });
});

describe('threads', () => {
  const COUNT = LONG ? 1_000 : 50;

  /** Pairs of a question and what the client adds to it, all of them at once. */
  function pairs(name: string): string[] {
    return Array.from({ length: COUNT }, (_, at) => {
      const from = `${name}${at}@example.com`;
      const id = `${name}-${at}@example.com`;
      return [
        mail({ from, id, subject: `${name} ${at}` }),
        mail({ from, subject: `Re: ${name} ${at}`, headers: { References: `<${id}>`, 'In-Reply-To': `<${id}>` } }),
      ];
    }).flat();
  }

  test.each([
    ['in order', 'ordre', (mails: string[]) => mails],
    ['in any order', 'melange', (mails: string[]) => shuffled(mails)],
  ])(
    'that arrive in one burst %s stay whole',
    async (_case, name, arrange) => {
      const company = await road.company(name);
      dovecot.addUser(`${name}@acme.test`);
      await fill(`${name}@acme.test`, arrange(pairs(name)));
      await boxes.connect(company, { address: `${name}@acme.test`, withinMs: PATIENCE_MS });
      await boxes.settled(company, PATIENCE_MS);
      const messages = await boxes.messages(company);
      const conversations = new Map<string, string[]>();
      for (const message of messages) {
        const subjects = conversations.get(message.conversationId) ?? [];
        conversations.set(message.conversationId, [...subjects, message.subject.replace(/^Re: /, '')]);
      }
      expect(messages).toHaveLength(2 * COUNT);
      expect(conversations.size).toBe(COUNT);
      expect([...conversations.values()].filter(([one, other]) => one !== other)).toEqual([]);
    },
    PATIENCE_MS,
  );
});

/** The same disorder each time. */
function shuffled<Item>(items: Item[]): Item[] {
  return items
    .map((item, at) => ({ item, place: (at * 7919 + 104_729) % 10_007 }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item);
}
