// Mailboxes that are opened by consent instead of a password, with a real mail server that asks the provider about every
// token it is given.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditEvent } from '#domain/record/audit-event.ts';
import { Credential } from '#domain/secrets/credential.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { TASK_QUEUES, WORKFLOWS, workflowIds } from '#workflows/contract.ts';
import { Consents } from '../support/consents.ts';
import { Dovecot } from '../support/dovecot.ts';
import { MailSink } from '../support/mail-sink.ts';
import { Mailboxes } from '../support/mailboxes.ts';
import { mail } from '../support/mails.ts';
import { OAuthServer } from '../support/oauth-server.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let provider: OAuthServer;
let dovecot: Dovecot;
/** The provider's way out; the road's own sink is the installation's. */
let outgoing: MailSink;
let boxes: Mailboxes;
let consents: Consents;
let acme: Company;
let globex: Company;

beforeAll(async () => {
  [provider, outgoing] = await Promise.all([OAuthServer.open(), MailSink.open()]);
  dovecot = await Dovecot.open(`${provider.url}/introspect`);
  outgoing.acceptsToken = (user, token) => provider.isGood(user, token);
  road = await Road.open({ oauth: provider.providers(dovecot.port, outgoing.port) });
  boxes = new Mailboxes(road, dovecot);
  consents = new Consents(road);
  acme = await road.company('acme');
  globex = await road.company('globex');
});

afterAll(async () => {
  await road?.close();
  await outgoing?.close();
  await dovecot?.stop();
  await provider?.close();
});

afterEach(() => {
  provider.account = '';
  provider.consents = 'all';
  provider.faults.length = 0;
});

function newMailbox(name: string, company = 'acme'): string {
  const address = `${name}@${company}.test`;
  dovecot.addUser(address);
  return address;
}

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

const noticesTo = (email: string) => road.sink.to(email).map(({ mail: { subject } }) => subject);

describe('a consent', () => {
  test('goes to the provider with what it needs and brings the last mails back', async () => {
    const address = newMailbox('essai');
    dovecot.append(address, [mail({ subject: 'Bonjour' })]);
    const { url } = await acme.owner.api.requestConsent({ body: { provider: 'google', address } });
    const asked = Object.fromEntries(new URL(url).searchParams);
    expect(asked).toMatchObject({
      response_type: 'code',
      redirect_uri: `${road.url}/inbox/oauth/callback`,
      scope: 'https://mail.google.com/ openid email',
      code_challenge_method: 'S256',
      access_type: 'offline',
      login_hint: address,
    });
    const trial = await consents.try(acme, { address });
    expect(trial).toMatchObject({ state: 'passed', problems: [], address, oauth: 'google', total: 1 });
    expect(trial.mails).toMatchObject([{ subject: 'Bonjour' }]);
    expect(JSON.stringify(trial)).not.toContain(provider.newestRefreshToken(address));
  });

  test('asks Microsoft for its own permissions, and takes the word of whichever organisation the person is of', async () => {
    const { url } = await acme.owner.api.requestConsent({ body: { provider: 'microsoft' } });
    expect(new URL(url).pathname).toBe('/common/authorize');
    expect(new URL(url).searchParams.get('scope')).toBe(
      'https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access openid email profile',
    );
    const address = newMailbox('organisation');
    expect(await consents.try(acme, { provider: 'microsoft', address })).toMatchObject({ state: 'passed' });
  });

  test('is for the mailbox that consented, whatever was typed', async () => {
    provider.account = newMailbox('autre');
    const trial = await consents.try(acme, { address: 'typed@acme.test' });
    expect(trial).toMatchObject({ state: 'passed', address: 'autre@acme.test' });
  });

  test.each([
    ['was refused', { consents: 'denied' as const }, 'oauth-denied'],
    ['does not cover the mail', { consents: 'without-mail' as const }, 'oauth-scope-missing'],
  ])('that %s is said so, and saves nothing', async (_case, behaviour, code) => {
    Object.assign(provider, behaviour);
    const trial = await consents.try(acme, { address: newMailbox('refus') });
    expect(trial).toMatchObject({ state: 'failed', problems: [{ where: 'consent', code, host: 'Google' }] });
    await expect(
      acme.owner.api.connectMailbox({ body: { trialId: trial.id, name: 'x', since: '2026-01-01' } }),
    ).rejects.toMatchObject({ problem: { code: 'trial.not-passed' } });
  });

  test('that the provider cannot answer now is said so', async () => {
    provider.faults.push(503);
    const trial = await consents.try(acme, { address: newMailbox('panne') });
    expect(trial).toMatchObject({ state: 'failed', problems: [{ where: 'consent', code: 'oauth-unreachable' }] });
  });

  test('can be brought back once, and only by whoever asked', async () => {
    const tom = await road.person(acme, 'admin', 'Tom');
    const agent = await road.person(acme, 'agent', 'Maya');
    const { trialId, back } = await consents.ask(acme.owner, { address: newMailbox('etat') });
    const forged = new URL(back);
    forged.searchParams.set('state', `${trialId}.${'x'.repeat(43)}`);
    const nowhere = '/settings/channels/mailbox?refused=consent';
    for (const [person, address] of [
      [tom, back],
      [globex.owner, back],
      [acme.owner, forged.href],
    ] as const)
      expect(await consents.comeBack(person, address)).toEqual({ status: 303, location: nowhere });
    expect(await consents.comeBack(agent, back)).toMatchObject({ status: 403 });
    expect(await fetch(back, { redirect: 'manual' })).toMatchObject({ status: 401 });
    expect(await acme.owner.api.getMailboxTrial({ params: { id: trialId } })).toMatchObject({ state: 'waiting' });
    const wizard = `/settings/channels/mailbox?trial=${trialId}`;
    expect(await consents.comeBack(acme.owner, back)).toEqual({ status: 303, location: wizard });
    expect(await consents.comeBack(acme.owner, back)).toEqual({ status: 303, location: nowhere });
  });

  test('is not offered by an installation that is not registered', async () => {
    expect(await acme.owner.api.listOAuthProviders()).toEqual({ providers: ['google', 'microsoft'] });
    const bare = await Road.open();
    try {
      const company = await bare.company('bare');
      expect(await company.owner.api.listOAuthProviders()).toEqual({ providers: [] });
      await expect(company.owner.api.requestConsent({ body: { provider: 'google' } })).rejects.toMatchObject({
        problem: { status: 409, code: 'oauth.not-offered' },
      });
    } finally {
      await bare.close();
    }
  });

  test('leaves no token, code or address in Temporal’s history', async () => {
    const address = newMailbox('historique');
    const trial = await consents.try(acme, { address });
    const handle = road.temporal.client.workflow.getHandle(workflowIds.trial(acme.tenantId, trial.id));
    await handle.result();
    const events = JSON.stringify(await handle.fetchHistory());
    for (const secret of [address, provider.newestRefreshToken(address)])
      expect(events).not.toContain(Buffer.from(secret).toString('base64').replace(/..=*$/, ''));
    expect(events).toContain(trial.id);
  });
});

describe('a mailbox connected by consent', () => {
  test('is read and answered from by its token, and keeps no password', async () => {
    const address = newMailbox('support');
    dovecot.append(address, [mail({ subject: 'Question', from: 'camille@example.com' })]);
    const id = await consents.connect(acme, { address });
    await boxes.settled(acme);
    expect(await boxes.subjects(acme)).toContain('Question');
    const row = await boxes.row(acme, id);
    expect(row).toMatchObject({ state: 'active', address, mailbox: { oauth: 'google' } });
    const kept = await road.db.database.inTenant(acme.tenantId, (em) => em.find(Credential, { ownerId: id }));
    expect(kept.map(({ name }) => name).sort()).toEqual(['oauth-access-token', 'oauth-refresh-token']);

    // The mail server no longer takes the token that is stored: it is renewed, and the mail leaves once.
    provider.forgetAccessTokens(address);
    const { items } = await acme.owner.api.listConversations({ query: { place: 'all' } });
    const conversation = items.find(({ subject }) => subject === 'Question')!;
    await acme.owner.api.writeReply({ params: { id: conversation.id }, body: { text: 'Bonjour Camille.' } });
    const [sent] = await until('the answer arrives', () => {
      const mails = outgoing.to('camille@example.com');
      return mails.length > 0 && mails;
    });
    expect(sent).toMatchObject({ from: address });
    await until('its copy is filed', () => dovecot.mails(address, 'Sent').length === 1);
    expect(outgoing.to('camille@example.com')).toHaveLength(1);
  });

  test('whose token the mail server refuses gets a new one, once, and goes on', async () => {
    const address = newMailbox('jeton');
    const id = await consents.connect(acme, { address });
    provider.forgetAccessTokens(address);
    dovecot.append(address, [mail({ subject: 'Après le refus', from: 'a@example.com' })]);
    provider.used.length = 0;
    expect(await boxes.sync(acme, id)).toMatchObject({ state: 'done', new: 1 });
    expect(provider.used).toHaveLength(1);
    expect(await boxes.row(acme, id)).toMatchObject({ state: 'active', lastError: null });
  });

  test('takes the place of the same mailbox connected by a password, where that one stopped', async () => {
    const address = newMailbox('passage');
    dovecot.append(address, [mail({ subject: 'Par mot de passe', from: 'b@example.com' })]);
    const id = await boxes.connect(acme, { address });
    expect(await consents.connect(acme, { address })).toBe(id);
    dovecot.append(address, [mail({ subject: 'Par accord', from: 'c@example.com' })]);
    expect(await boxes.sync(acme, id)).toMatchObject({ state: 'done', seen: 1, new: 1 });
    expect(await boxes.row(acme, id)).toMatchObject({ mailbox: { oauth: 'google' } });
  });
});

describe('a consent that was taken back', () => {
  test('is said to the admins once, delays no other mailbox, and loses no mail until it is given again', async () => {
    const initech = await road.company('initech');
    await road.person(initech, 'admin', 'Tom');
    await road.person(initech, 'agent', 'Maya');
    const [dead, alive] = [newMailbox('morte', 'initech'), newMailbox('vive', 'initech')];
    dovecot.append(dead, [mail({ subject: 'Avant', from: 'd@example.com' })]);
    const deadId = await consents.connect(initech, { address: dead });
    const aliveId = await consents.connect(initech, { address: alive });

    provider.revoke(dead);
    dovecot.append(dead, [mail({ subject: 'Pendant 1', from: 'e@example.com' })]);
    dovecot.append(alive, [mail({ subject: 'Ailleurs', from: 'f@example.com' })]);
    await Promise.all([lookOfSchedule(initech, deadId), lookOfSchedule(initech, aliveId)]);
    expect(await boxes.row(initech, deadId)).toMatchObject({
      state: 'reconnect',
      lastError: 'Google no longer lets this mailbox be opened.',
    });
    await boxes.settled(initech);
    expect(await boxes.subjects(initech)).toContain('Ailleurs');
    expect(await boxes.row(initech, aliveId)).toMatchObject({ state: 'active', lastError: null });

    const owner = 'owner@initech.test';
    const notices = await until('the admins were told', () => noticesTo(owner).length > 0 && road.sink.to(owner));
    const [notice] = notices;
    expect(notice?.to).toHaveLength(2);
    expect(notice?.mail).toMatchObject({ subject: `La boîte ${dead} est à reconnecter` });
    expect(notice?.mail.text).toContain(`${road.url}/settings/channels`);
    // Its schedule leaves it alone, and a person who looks by hand causes no second mail.
    expect(await lookOfSchedule(initech, deadId)).toBe('skipped');
    expect(await boxes.sync(initech, deadId)).toMatchObject({ state: 'failed' });
    const lost = await road.db.database.inTenant(initech.tenantId, (em) =>
      em.find(AuditEvent, { action: 'integration.lost', subjectId: deadId }),
    );
    expect(lost).toMatchObject([{ actorKind: 'system', before: { state: 'active' }, after: { state: 'reconnect' } }]);
    expect(noticesTo(owner)).toHaveLength(1);

    dovecot.append(dead, [mail({ subject: 'Pendant 2', from: 'g@example.com' })]);
    await consents.reconnect(initech, deadId);
    await boxes.settled(initech);
    expect((await boxes.subjects(initech)).filter((subject) => subject !== 'Ailleurs')).toEqual([
      'Avant',
      'Pendant 1',
      'Pendant 2',
    ]);
    expect(await boxes.row(initech, deadId)).toMatchObject({ state: 'active', lastError: null });

    // Lost again, said again.
    provider.revoke(dead);
    await lookOfSchedule(initech, deadId);
    await until('the admins were told again', () => noticesTo(owner).length === 2);
  });

  test('cannot be given again by another account', async () => {
    const address = newMailbox('compte');
    const id = await consents.connect(acme, { address });
    provider.account = newMailbox('intrus');
    const trial = await consents.try(acme, { integrationId: id });
    expect(trial).toMatchObject({ state: 'failed', problems: [{ where: 'consent', code: 'oauth-other-account' }] });
    await expect(
      acme.owner.api.reconnectMailbox({ params: { id }, body: { trialId: trial.id } }),
    ).rejects.toMatchObject({ problem: { code: 'trial.not-passed' } });
    await expect(
      globex.owner.api.reconnectMailbox({ params: { id }, body: { trialId: trial.id } }),
    ).rejects.toMatchObject({ problem: { status: 404 } });
  });

  test('is no matter of a provider that is away', async () => {
    const address = newMailbox('orage');
    const id = await consents.connect(acme, { address });
    await road.db.owner.query(`update credential set renew_at = now(), expires_at = now() where owner_id = $1`, [id]);
    provider.faults.push(500, 503, 429);
    dovecot.append(address, [mail({ subject: 'Sous l’orage', from: 'h@example.com' })]);
    expect(await boxes.sync(acme, id)).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/^Google gives no access for now/),
    });
    expect(await boxes.row(acme, id)).toMatchObject({ state: 'active' });
    await boxes.sync(acme, id);
    expect(await boxes.subjects(acme)).toContain('Sous l’orage');
    expect(await boxes.row(acme, id)).toMatchObject({ state: 'active', lastError: null });
  });
});

describe('a password that is refused', () => {
  test('is said to the admins by the same mail', async () => {
    const umbrella = await road.company('umbrella');
    const address = newMailbox('motdepasse', 'umbrella');
    const id = await boxes.connect(umbrella, { address });
    await dovecot.changePassword(address, 'other');
    await lookOfSchedule(umbrella, id);
    expect(await boxes.row(umbrella, id)).toMatchObject({ state: 'reconnect' });
    const owner = 'owner@umbrella.test';
    await until('the owner was told', () => noticesTo(owner).includes(`La boîte ${address} est à reconnecter`));
  });
});
