import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Receipt } from '#domain/integrations/receipt.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { Credential } from '#domain/secrets/credential.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { TASK_QUEUES, WORKFLOWS, workflowIds } from '#workflows/contract.ts';
import { CuttableLine, Dovecot } from '../support/dovecot.ts';
import { Mailboxes, type Typed } from '../support/mailboxes.ts';
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
});

afterAll(async () => {
  await road?.close();
  await dovecot?.stop();
});

const A_DAY_MS = 24 * 3600_000;
const ago = (days: number) => new Date(Date.now() - days * A_DAY_MS);
const day = (date: Date) => date.toISOString().slice(0, 10);

const newsletter = (subject: string) =>
  mail({
    subject,
    from: 'Boutique <news@shop.test>',
    headers: { 'List-Id': '<news.shop.test>', 'List-Unsubscribe': '<https://shop.test/bye>', Precedence: 'bulk' },
  });

/** What the schedule does, at this moment. */
async function lookOfSchedule(company: Company, integrationId: string): Promise<unknown> {
  const { tenantId } = company;
  const handle = await road.temporal.client.workflow.start(WORKFLOWS.syncMailbox, {
    args: [{ tenantId, integrationId }],
    workflowId: `${workflowIds.syncMailbox(tenantId, integrationId)}/${newId()}`,
    taskQueue: TASK_QUEUES.inbox,
  });
  return handle.result();
}

describe('the trial of a mailbox', () => {
  const address = 'essai@acme.test';

  beforeAll(async () => {
    dovecot.addUser(address);
    dovecot.addUser('wrong@acme.test', 'wrong');
    await acme.owner.api.createFolder({
      body: { name: 'Rendez-vous', rules: [{ field: 'subject', operator: 'contains', value: 'RDV' }] },
    });
    const letters = Array.from({ length: 10 }, (_, at) => mail({ subject: `Lettre ${at + 1}` }));
    dovecot.append(address, [...letters, newsletter('Soldes'), mail({ subject: 'Un RDV ?' })]);
  });

  test('shows the last ten mails as they would be sorted, and changes nothing', async () => {
    const trial = await boxes.try(acme, { address });
    expect(trial).toMatchObject({ state: 'passed', problems: [], total: 12 });
    expect(trial.folders).toEqual(expect.arrayContaining(['INBOX', 'Sent', 'Junk']));
    expect(trial.mails).toHaveLength(10);
    expect(trial.mails[0]).toMatchObject({ subject: 'Un RDV ?', kind: 'personal', folder: 'Rendez-vous' });
    expect(trial.mails[1]).toMatchObject({ subject: 'Soldes', from: 'Boutique', kind: 'newsletter', folder: null });
    expect(trial.mails.at(-1)).toMatchObject({ subject: 'Lettre 3', folder: null });
    expect(dovecot.mails(address).filter((one) => one.seen)).toEqual([]);
    expect(JSON.stringify(trial)).not.toContain('secret');
    await expect(globex.owner.api.getMailboxTrial({ params: { id: trial.id } })).rejects.toMatchObject({
      problem: { status: 404 },
    });
  });

  test('leaves neither password nor address nor mail in Temporal’s history', async () => {
    const trial = await boxes.try(acme, { address });
    const handle = road.temporal.client.workflow.getHandle(workflowIds.trial(acme.tenantId, trial.id));
    await handle.result();
    const events = JSON.stringify(await handle.fetchHistory());
    for (const secret of ['secret', address, 'Lettre'])
      expect(events).not.toContain(Buffer.from(secret).toString('base64').replace(/..=*$/, ''));
    expect(events).toContain(trial.id);
  });

  test.each([
    ['a wrong password', { password: 'nope' }, 'imap', 'mailbox-refused-credentials'],
    ['an unknown server', { host: 'imap.acme.invalid', security: 'tls' }, 'imap', 'mailbox-unknown-host'],
    ['a port where nobody listens', { port: 1 }, 'imap', 'mailbox-unreachable'],
    ['a certificate nobody signed (TLS)', { security: 'tls', tls: true }, 'imap', 'mailbox-certificate'],
    ['a certificate nobody signed (STARTTLS)', { security: 'starttls' }, 'imap', 'mailbox-certificate'],
    ['TLS where there is none', { security: 'tls' }, 'imap', 'mailbox-wrong-security'],
    [
      'a sending server that refuses the password',
      { address: 'wrong@acme.test', password: 'wrong' },
      'smtp',
      'mailbox-refused-credentials',
    ],
    [
      'an unknown sending server',
      { smtpHost: 'smtp.acme.invalid', smtpSecurity: 'tls' },
      'smtp',
      'mailbox-unknown-host',
    ],
    ['a sending port where nobody listens', { smtpPort: 1 }, 'smtp', 'mailbox-unreachable'],
    ['a sending server without STARTTLS', { smtpSecurity: 'starttls' }, 'smtp', 'mailbox-wrong-security'],
  ] as const)(
    'says what is wrong with %s, and saves nothing',
    async (_case, { tls, ...typed }: Partial<Typed> & { tls?: boolean }, where, code) => {
      const trial = await boxes.try(acme, { address, ...typed, ...(tls ? { port: dovecot.tlsPort } : {}) });
      expect(trial.state).toBe('failed');
      expect(trial.problems).toEqual([{ where, code, host: expect.any(String) }]);
      await expect(
        acme.owner.api.connectMailbox({ body: { trialId: trial.id, name: 'x', since: '2026-01-01' } }),
      ).rejects.toMatchObject({ problem: { status: 409, code: 'trial.not-passed' } });
      expect((await acme.owner.api.listIntegrations()).integrations).toEqual([]);
      const saved = await road.db.database.inTenant(acme.tenantId, async (em) => [
        await em.count(Credential, {}),
        await em.count(Receipt, {}),
      ]);
      expect(saved).toEqual([0, 0]);
    },
  );

  test.each([
    ['TLS', () => ({ security: 'tls' as const, port: dovecot.tlsPort })],
    ['STARTTLS', () => ({ security: 'starttls' as const })],
  ])('passes over %s with a certificate that is trusted', async (_case, typed) => {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, dovecot.certificate]);
    try {
      expect(await boxes.try(acme, { address, host: 'localhost', ...typed() })).toMatchObject({ state: 'passed' });
    } finally {
      setDefaultCACertificates(before);
    }
  });
});

describe('a connected mailbox', () => {
  const address = 'support@acme.test';
  let id: string;

  beforeAll(async () => {
    dovecot.addUser(address);
    dovecot.append(address, [mail({ subject: 'Premier' }), mail({ subject: 'Deuxième', from: 'tom@example.com' })]);
    id = await boxes.connect(acme, { address, syncEverySeconds: 10 });
  });

  test('is fetched by its schedule, with nobody pressing anything, and its mails become conversations', async () => {
    await boxes.settled(acme);
    const { items } = await acme.owner.api.listConversations({ query: { place: 'inbox' } });
    expect(items.map((row) => row.subject).sort()).toEqual(['Deuxième', 'Premier']);
    dovecot.append(address, [mail({ subject: 'Troisième', from: 'zoe@example.com' })]);
    await until('the third mail is there', async () => (await boxes.subjects(acme)).includes('Troisième'), 20_000);
    expect(await boxes.subjects(acme)).toEqual(['Deuxième', 'Premier', 'Troisième']);
    expect(dovecot.mails(address).map((one) => one.seen)).toEqual([false, false, false]);
    expect(await boxes.row(acme, id)).toMatchObject({ state: 'active', lastError: null });
  });

  test('shows nothing of itself to another company', async () => {
    expect((await globex.owner.api.listIntegrations()).integrations).toEqual([]);
    await expect(globex.owner.api.syncIntegration({ params: { id } })).rejects.toMatchObject({
      problem: { status: 404 },
    });
    expect(await boxes.subjects(globex)).toEqual([]);
  });

  test('read by hand shows progress, and counts what came', async () => {
    const again = mail({ subject: 'Deux fois', id: 'twice@example.com', date: ago(0) });
    dovecot.append(address, [
      mail({ subject: 'Nouveau 1', from: 'a@example.com' }),
      again,
      again,
      newsletter('Promotions'),
      Buffer.from(Array.from({ length: 900 }, (_, at) => 128 + ((at * 31) % 128))),
    ]);
    const before = await boxes.subjects(acme);
    const view = await boxes.sync(acme, id);
    // The schedule may have come first for some of them.
    const all = await road.db.database.inTenant(acme.tenantId, (em) => em.find(Receipt, { integrationId: id }));
    expect(view).toMatchObject({ state: 'done', remaining: 0, pending: 0, error: null });
    expect(all.filter((receipt) => receipt.outcome === 'new')).toHaveLength(5);
    expect(all.filter((receipt) => receipt.outcome === 'duplicate')).toHaveLength(1);
    expect(all.filter((receipt) => receipt.outcome === 'filtered')).toHaveLength(1);
    expect(all.filter((receipt) => receipt.state === 'set_aside')).toHaveLength(1);
    expect(view.seen).toBe(view.new + view.duplicates + view.newsletters + view.failed);
    expect(await boxes.subjects(acme)).toEqual([...before, 'Deux fois', 'Nouveau 1', 'Promotions'].sort());
  });

  test('that is paused is not read until it is resumed', async () => {
    await acme.owner.api.changeIntegration({ params: { id }, body: { state: 'paused' } });
    const schedule = road.temporal.client.schedule.getHandle(workflowIds.syncSchedule(acme.tenantId, id));
    await until('its schedule is paused', async () => (await schedule.describe()).state.paused);
    dovecot.append(address, [mail({ subject: 'Pendant la pause', from: 'b@example.com' })]);
    expect(await lookOfSchedule(acme, id)).toBe('skipped');
    expect(await boxes.subjects(acme)).not.toContain('Pendant la pause');
    await acme.owner.api.changeIntegration({ params: { id }, body: { state: 'active' } });
    await until('its schedule goes on', async () => !(await schedule.describe()).state.paused);
    await boxes.sync(acme, id);
    expect(await boxes.subjects(acme)).toContain('Pendant la pause');
  });

  test('that is removed loses its schedule, its password and its button, and keeps its conversations', async () => {
    const before = await boxes.subjects(acme);
    await acme.owner.api.removeIntegration({ params: { id } });
    const schedule = road.temporal.client.schedule.getHandle(workflowIds.syncSchedule(acme.tenantId, id));
    await until('its schedule is gone', () =>
      schedule.describe().then(
        () => false,
        () => true,
      ),
    );
    await expect(acme.owner.api.syncIntegration({ params: { id } })).rejects.toMatchObject({
      problem: { status: 404 },
    });
    expect(await lookOfSchedule(acme, id)).toBe('skipped');
    expect(await boxes.subjects(acme)).toEqual(before);
  });
});

describe('mail from before', () => {
  test('is left alone before the chosen day, sorted and never drafted after it, and drafted once it is new', async () => {
    const address = 'avant@globex.test';
    await globex.owner.api.createArticle({ body: { title: 'Commande', text: 'Trois jours.', language: 'fr' } });
    const folder = await globex.owner.api.createFolder({
      body: {
        name: 'Commandes',
        replyMode: 'validation',
        rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
      },
    });
    dovecot.addUser(address);
    dovecot.append(address, [mail({ subject: 'Vieux', from: 'a@example.com' })], 'INBOX', ago(40));
    dovecot.append(address, [mail({ subject: 'Ancien', from: 'b@example.com' })], 'INBOX', ago(10));
    // Old mail that another program moves in later has a high number and an old date.
    dovecot.append(address, [mail({ subject: 'Rangé', from: 'c@example.com' })], 'INBOX', ago(50));
    const id = await boxes.connect(globex, { address, since: day(ago(30)) });
    dovecot.append(address, [mail({ subject: 'Neuf', from: 'd@example.com' })]);
    await boxes.sync(globex, id);
    await boxes.settled(globex);
    expect(await boxes.subjects(globex)).toEqual(['Ancien', 'Neuf']);
    const drafted = await until('the new one is drafted', async () => {
      const { items } = await globex.owner.api.listConversations({ query: { place: 'to-approve' } });
      return items.length > 0 && items;
    });
    expect(drafted.map((row) => row.subject)).toEqual(['Neuf']);
    const { items } = await globex.owner.api.listConversations({ query: { folderId: folder.id } });
    expect(items.find((row) => row.subject === 'Ancien')).toMatchObject({ unread: false, waitingDraftId: null });
  });

  test('in a folder that is added later is never answered either', async () => {
    const address = 'dossier@globex.test';
    dovecot.addUser(address);
    await boxes.connect(globex, { address });
    await road.db.owner.query(`update integration set created_at = now() - interval '90 days' where address = $1`, [
      address,
    ]);
    dovecot.append(address, [mail({ subject: 'Classé', from: 'e@example.com' })], 'Archive', ago(20));
    const id = await boxes.connect(globex, { address, folders: ['INBOX', 'Archive'] });
    await boxes.sync(globex, id);
    const [classed] = (await boxes.messages(globex)).filter((message) => message.subject === 'Classé');
    expect(classed).toMatchObject({ fromBackfill: true });
  });
});

describe('the Junk folder', () => {
  const kinds = async () => {
    const messages = await boxes.messages(acme);
    const inJunk = messages.filter(({ subject }) => subject.startsWith('Rebut'));
    if (inJunk.some(({ kind }) => !kind)) return null;
    return inJunk.map(({ subject, kind, kindReason }) => `${subject}: ${kind} ${kindReason}`).sort();
  };

  test('is read as well: what lies there is kept as spam, unless its sender is allowed', async () => {
    const address = 'rebut@acme.test';
    dovecot.addUser(address);
    await acme.owner.api.putSenderRule({ body: { pattern: 'client@example.com', verdict: 'allow' } });
    dovecot.append(address, [mail({ subject: 'Rebut un', from: 'gain@example.org' })], 'Junk');
    dovecot.append(address, [mail({ subject: 'Rebut deux', from: 'client@example.com' })], 'Junk');
    const id = await boxes.connect(acme, { address });
    await boxes.settled(acme);
    expect(await until('they are judged', kinds)).toEqual([
      'Rebut deux: personal sender-allowed',
      'Rebut un: spam junk-folder',
    ]);
    const { items } = await acme.owner.api.listConversations({ query: { place: 'inbox' } });
    expect(items.map(({ subject }) => subject)).not.toContain('Rebut un');
    expect(await boxes.row(acme, id)).toMatchObject({
      mailbox: { folders: ['INBOX'], junkFolder: 'Junk' },
      serverFolders: { paths: expect.arrayContaining(['INBOX', 'Junk', 'Archive']), junk: 'Junk' },
    });
  });

  test('is left alone until somebody wants it, as any folder is', async () => {
    const address = 'sans-rebut@acme.test';
    dovecot.addUser(address);
    dovecot.append(address, [mail({ subject: 'Rebut trois', from: 'gain@example.org' })], 'Junk');
    dovecot.append(address, [mail({ subject: 'Archivé', from: 'a@example.org' })], 'Archive');
    const id = await boxes.connect(acme, { address, readJunk: false });
    await boxes.settled(acme);
    expect(await boxes.subjects(acme)).not.toContain('Rebut trois');
    const params = { id };
    await acme.owner.api.changeMailbox({ params, body: { readJunk: true, folders: ['INBOX', 'Archive'] } });
    await boxes.sync(acme, id);
    expect(await boxes.subjects(acme)).toEqual(expect.arrayContaining(['Rebut trois', 'Archivé']));
    await expect(acme.owner.api.changeMailbox({ params, body: { folders: ['Ailleurs'] } })).rejects.toMatchObject({
      problem: { status: 422, code: 'mailbox.no-such-folder' },
    });
    await expect(globex.owner.api.changeMailbox({ params, body: { readJunk: false } })).rejects.toMatchObject({
      problem: { status: 404 },
    });
  });
});

describe('the same mail', () => {
  let tenant: Company;
  const subjects = async () => (await boxes.subjects(tenant)).filter((subject) => subject.startsWith('Même'));

  beforeAll(async () => {
    tenant = await road.company('initech');
    for (const name of ['un', 'deux']) dovecot.addUser(`${name}@initech.test`);
  });

  test('in two folders, by two addresses, and after all its numbers changed, is one message', async () => {
    const letter = mail({ subject: 'Même', text: 'Bonjour à tous deux' });
    const elsewhere = `Delivered-To: deux@initech.test\r\nReceived: from mx by deux\r\n${letter}`;
    dovecot.append('un@initech.test', [letter]);
    dovecot.append('un@initech.test', [letter], 'Archive');
    dovecot.append('deux@initech.test', [elsewhere]);
    const one = await boxes.connect(tenant, { address: 'un@initech.test', folders: ['INBOX', 'Archive'] });
    await boxes.connect(tenant, { address: 'deux@initech.test' });
    await boxes.settled(tenant);
    await dovecot.renewUidValidity('un@initech.test');
    expect(await boxes.sync(tenant, one)).toMatchObject({ seen: 1, new: 0, duplicates: 1 });
    expect(await subjects()).toEqual(['Même']);
  });

  test('is another one when only the Message-ID is the same, and one each without any', async () => {
    const id = 'reused@example.com';
    const date = ago(0);
    const without = mail({ subject: 'Même sans', date, from: 'x@example.com' }).replace(/Message-ID:.*\r\n/, '');
    dovecot.append('un@initech.test', [
      mail({ subject: 'Même id', text: 'Le premier', id, from: 'x@example.com' }),
      mail({ subject: 'Même id', text: 'Le second', id, from: 'y@example.com' }),
      without,
      without.replaceAll('x@example.com', 'y@example.com'),
      without,
    ]);
    const [integration] = (await tenant.owner.api.listIntegrations()).integrations;
    expect(await boxes.sync(tenant, integration!.id)).toMatchObject({ seen: 5, new: 4, duplicates: 1 });
    expect(await subjects()).toEqual(['Même', 'Même id', 'Même id', 'Même sans', 'Même sans']);
  });

  test('belongs to each company for itself', async () => {
    dovecot.addUser('un@globex.test');
    const letter = mail({ subject: 'Même pour deux sociétés' });
    dovecot.append('un@globex.test', [letter]);
    dovecot.append('un@initech.test', [letter]);
    await boxes.connect(globex, { address: 'un@globex.test' });
    const [integration] = (await tenant.owner.api.listIntegrations()).integrations;
    expect(await boxes.sync(tenant, integration!.id)).toMatchObject({ new: 1, duplicates: 0 });
    await boxes.settled(globex);
    expect(await boxes.subjects(globex)).toContain('Même pour deux sociétés');
  });
});

describe('a mailbox that changes while it is read', () => {
  test.each([
    ['deleted', (address: string) => dovecot.expunge(address, 'Subject: Lettre 2')],
    ['moved', (address: string) => dovecot.move(address, 'Subject: Lettre 2', 'INBOX', 'Archive')],
  ])('loses nothing but the mail that was %s', async (what, change) => {
    const address = `${what}@globex.test`;
    const line = await CuttableLine.to(dovecot.port);
    dovecot.addUser(address);
    const id = await boxes.connect(globex, { address, port: line.port });
    dovecot.append(
      address,
      [1, 2, 3].map((at) => mail({ subject: `Lettre ${at} ${what}`, from: `${what}${at}@example.com` })),
    );
    line.onAsked = (words) => {
      if (!/FETCH .*RFC822\.SIZE/.test(words)) return;
      line.onAsked = () => {};
      change(address);
    };
    const view = await boxes.sync(globex, id);
    expect(view).toMatchObject({ state: 'done', failed: 0 });
    expect((await boxes.subjects(globex)).filter((subject) => subject.endsWith(what))).toEqual([
      `Lettre 1 ${what}`,
      `Lettre 3 ${what}`,
    ]);
    await line.close();
  });
});

describe('a mailbox in trouble', () => {
  test('whose password is refused waits for a person, who connects it again where it stopped', async () => {
    const address = 'motdepasse@globex.test';
    dovecot.addUser(address);
    dovecot.append(address, [mail({ subject: 'Avant le refus', from: 'f@example.com' })]);
    const id = await boxes.connect(globex, { address });
    await dovecot.changePassword(address, 'other');
    dovecot.append(address, [mail({ subject: 'Pendant le refus', from: 'g@example.com' })]);
    expect(await boxes.sync(globex, id)).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/refused the user name or the password/),
    });
    expect(await boxes.row(globex, id)).toMatchObject({
      state: 'reconnect',
      lastError: '127.0.0.1 refused the user name or the password.',
    });
    // Trying by itself would lock the account.
    expect(await lookOfSchedule(globex, id)).toBe('skipped');
    expect(await boxes.connect(globex, { address, password: 'other' })).toBe(id);
    await boxes.sync(globex, id);
    expect(await boxes.row(globex, id)).toMatchObject({ state: 'active', lastError: null });
    const refused = (await boxes.subjects(globex)).filter((subject) => subject.endsWith('le refus'));
    expect(refused).toEqual(['Avant le refus', 'Pendant le refus']);
  });

  test('of which one folder is gone has the others read, and says so', async () => {
    const address = 'manque@globex.test';
    dovecot.addUser(address);
    dovecot.append(address, [mail({ subject: 'Dans la boîte', from: 'h@example.com' })]);
    const id = await boxes.connect(globex, { address, folders: ['Parti', 'INBOX'] });
    await boxes.settled(globex);
    expect(await boxes.subjects(globex)).toContain('Dans la boîte');
    expect(await boxes.row(globex, id)).toMatchObject({ state: 'active', lastError: '127.0.0.1 has no such folder.' });
  });

  test('whose server is away is tried again, and its error goes with the next success', async () => {
    const address = 'absent@globex.test';
    const line = await CuttableLine.to(dovecot.port);
    const { port } = line;
    dovecot.addUser(address);
    const id = await boxes.connect(globex, { address, port });
    await line.close();
    expect(await boxes.sync(globex, id)).toMatchObject({
      state: 'failed',
      error: '127.0.0.1 could not be reached (ECONNREFUSED).',
    });
    expect(await boxes.row(globex, id)).toMatchObject({ state: 'active' });
    expect(await boxes.connect(globex, { address })).toBe(id);
    await boxes.sync(globex, id);
    expect(await boxes.row(globex, id)).toMatchObject({ state: 'active', lastError: null });
  });

  test('leaves no record of a look by its schedule that found nothing', async () => {
    const counts = () => road.db.database.inTenant(globex.tenantId, (em) => em.count(Sync, { trigger: 'schedule' }));
    const [integration] = (await globex.owner.api.listIntegrations()).integrations;
    const before = await counts();
    expect(await lookOfSchedule(globex, integration!.id)).toEqual({ seen: 0, kept: 0 });
    expect(await counts()).toBe(before);
  });
});
