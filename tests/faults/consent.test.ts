// A worker killed after the provider has rotated the refresh token and before the new one was stored: the mailbox goes on
// by the token before, and no mail is lost.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { Dovecot } from '../support/dovecot.ts';
import { ROUNDS } from '../support/fault-rounds.ts';
import { Installation, persistently } from '../support/installation.ts';
import { MailSink } from '../support/mail-sink.ts';
import { mail } from '../support/mails.ts';
import { OAuthServer } from '../support/oauth-server.ts';
import { until } from '../support/until.ts';

const ADDRESS = 'support@acme.test';

let house: Installation;
let provider: OAuthServer;
let dovecot: Dovecot;
let outgoing: MailSink;

beforeAll(async () => {
  [provider, outgoing] = await Promise.all([OAuthServer.open(), MailSink.open()]);
  outgoing.acceptsToken = (user, token) => provider.isGood(user, token);
  dovecot = await Dovecot.open(`${provider.url}/introspect`);
  dovecot.addUser(ADDRESS);
  house = await Installation.open({ env: provider.settings(dovecot.port, outgoing.port) });
  const api = await house.welcome();
  const { trialId, url } = await api.requestConsent({ body: { provider: 'google', address: ADDRESS } });
  const page = await fetch(url, { redirect: 'manual' });
  await fetch(page.headers.get('location')!, { redirect: 'manual', headers: { cookie: house.cookie } });
  await until('it was tried', async () => {
    const trial = await api.getMailboxTrial({ params: { id: trialId } });
    return trial.state === 'passed';
  });
  await api.connectMailbox({ body: { trialId, name: 'Support', since: '2026-01-01', syncEverySeconds: 10 } });
}, 120_000);

afterAll(async () => {
  await house?.close();
  await outgoing?.close();
  await dovecot?.stop();
  await provider?.close();
});

describe('a worker killed', () => {
  test(
    'between the answer of the provider and the store renews again by the token before',
    async () => {
      for (let count = 0; count < ROUNDS; count += 1) {
        const died = await house.arm(house.workers[0]!, 'oauth.before_store');
        const before = provider.newestRefreshToken(ADDRESS);
        provider.used.length = 0;
        await house.ask(`update credential set renew_at = now(), expires_at = now() where name = 'oauth-access-token'`);
        const subject = newId();
        dovecot.append(ADDRESS, [mail({ subject, from: `${subject}@example.com` })]);
        await died();
        await until(
          'the mail is there',
          async () => {
            const found = await persistently(() => house.ask('select from message where subject = $1', [subject]));
            return found.length === 1;
          },
          90_000,
          200,
        );
        expect(provider.used).toEqual([before, before]);
        expect(provider.replayed).toEqual([]);
        const [row] = await house.ask<{ state: string }>('select state from integration where address = $1', [ADDRESS]);
        expect(row).toEqual({ state: 'active' });
      }
    },
    120_000 * ROUNDS,
  );
});
