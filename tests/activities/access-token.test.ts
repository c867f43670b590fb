// The access token of one mailbox, asked for by many at once and by one again and again, while the provider rotates the
// refresh token, fails, or has taken the consent back.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { accessTokenOf } from '#activities/access-token.ts';
import { Database } from '#domain/database/orm.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { keepMailboxSecret } from '#domain/integrations/keep-mailbox-secret.ts';
import type { Consent } from '#domain/integrations/mailbox-trial.ts';
import type { OAuthProviders } from '#domain/integrations/oauth-provider.ts';
import { AuditEvent } from '#domain/record/audit-event.ts';
import { RunRequest } from '#domain/record/run-request.ts';
import { revealCredential } from '#domain/secrets/credential.ts';
import { KeyRing } from '#domain/secrets/key-ring.ts';
import { keepTokens } from '#domain/secrets/oauth-tokens.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';
import { OAuthServer } from '../support/oauth-server.ts';
import { TEST_KEY } from '../support/road.ts';
import { until } from '../support/until.ts';

const RENEWALS = process.env.TEST_SIZE === 'long' ? 100 : 10;
const AN_HOUR_MS = 3600_000;

const keys = new KeyRing(TEST_KEY);
let db: TestDatabase;
/** Another worker's, with connections of its own. */
let elsewhere: Database;
let provider: OAuthServer;
let oauth: OAuthProviders;
let acme: string;
let globex: string;
let address: string;
let mailbox: { tenantId: string; integrationId: string };

beforeAll(async () => {
  [db, provider] = await Promise.all([testDatabase(), OAuthServer.open()]);
  elsewhere = await Database.open({ url: db.url, poolSize: 12 });
  oauth = provider.providers(1, 1);
  acme = await createTenant(db.database, 'acme');
  globex = await createTenant(db.database, 'globex');
});

afterAll(async () => {
  await provider?.close();
  await elsewhere?.close();
  await db?.close();
});

beforeEach(async () => {
  address = `support-${newId().slice(-12)}@acme.test`;
  mailbox = { tenantId: acme, integrationId: newId() };
  await connected(mailbox, address);
});

afterEach(() => {
  provider.onRenewed = async () => {};
  provider.acceptsPrevious = true;
  provider.faults.length = 0;
  provider.used.length = 0;
});

async function connected(ref: typeof mailbox, of: string): Promise<void> {
  const server = { host: '127.0.0.1', port: 1, security: 'none' as const, username: of };
  await db.database.inTenant(ref.tenantId, async (em) => {
    const folders = ['INBOX'];
    const settings = { imap: server, smtp: server, senderName: '', folders, since: '2026-01-01', syncEverySeconds: 60 };
    em.create(Integration, {
      id: ref.integrationId,
      channel: 'email',
      name: of,
      address: of,
      settings: { ...settings, oauth: 'google' },
    });
    await em.flush();
    const times = { renewAt: inMs(0.8 * AN_HOUR_MS), expiresAt: inMs(AN_HOUR_MS) };
    await keepTokens(
      em,
      keys,
      { tenantId: ref.tenantId, ownerId: ref.integrationId },
      { ...provider.grant(of), ...times },
    );
  });
}

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const ask = (database = db.database, refused: string | null = null) =>
  accessTokenOf({ database, keys, oauth }, mailbox, 'google', refused);
const stored = (name: 'oauth-access-token' | 'oauth-refresh-token') =>
  db.database.inTenant(acme, (em) => revealCredential(em, keys, mailbox.integrationId, name));
const state = async () => {
  const row = await db.database.inTenant(acme, (em) => em.findOneOrFail(Integration, { id: mailbox.integrationId }));
  return row.state;
};
const age = (column: 'renew_at' | 'expires_at' | 'renewing_until') =>
  db.owner.query(`update credential set ${column} = now() - interval '1 second' where owner_id = $1`, [
    mailbox.integrationId,
  ]);

describe('an access token', () => {
  test('that is young is used as it is, without asking the provider', async () => {
    expect(await ask()).toBe(await stored('oauth-access-token'));
    expect(provider.used).toEqual([]);
  });

  test('is renewed when four fifths of its life are over, and stored with the refresh token that came with it', async () => {
    await age('renew_at');
    const token = await ask();
    expect(provider.isGood(address, token)).toBe(true);
    expect([await stored('oauth-access-token'), await stored('oauth-refresh-token')]).toEqual([
      token,
      provider.newestRefreshToken(address),
    ]);
    const { rows } = await db.owner.query(
      `select extract(epoch from renew_at - now())::int as renew, extract(epoch from expires_at - now())::int as expires
         from credential where owner_id = $1 and name = 'oauth-access-token'`,
      [mailbox.integrationId],
    );
    expect(rows[0].renew / rows[0].expires).toBeCloseTo(0.8, 2);
  });

  test(
    `is renewed ${RENEWALS} times in a row, each time with the refresh token that was stored last`,
    async () => {
      provider.acceptsPrevious = false;
      const expected: string[] = [];
      for (let count = 0; count < RENEWALS; count += 1) {
        expected.push(await stored('oauth-refresh-token'));
        await age('renew_at');
        await ask();
      }
      expect(provider.used).toEqual(expected);
      expect(new Set(expected).size).toBe(RENEWALS);
      expect(provider.replayed).toEqual([]);
    },
    30_000 + RENEWALS * 1_000,
  );

  test('that was refused is not given again', async () => {
    const refused = await ask();
    const token = await ask(db.database, refused);
    expect(token).not.toBe(refused);
    expect(provider.isGood(address, token)).toBe(true);
  });

  test(
    'asked for by forty at once in two workers is renewed once',
    async () => {
      provider.acceptsPrevious = false;
      for (let count = 0; count < RENEWALS; count += 1) {
        await age('expires_at');
        await age('renew_at');
        provider.used.length = 0;
        const tokens = await Promise.all(
          Array.from({ length: 40 }, (_, index) => ask(index % 2 ? elsewhere : db.database)),
        );
        expect(new Set(tokens).size).toBe(1);
        expect(provider.used).toHaveLength(1);
      }
      expect(provider.replayed).toEqual([]);
    },
    30_000 + RENEWALS * 3_000,
  );

  test('of another company stays out of reach', async () => {
    const foreign = { tenantId: globex, integrationId: mailbox.integrationId };
    await expect(accessTokenOf({ database: db.database, keys, oauth }, foreign, 'google')).rejects.toMatchObject({
      code: 'credential.missing',
    });
  });
});

describe('a renewal', () => {
  test('that died between the answer and the store is made again with the token before', async () => {
    await age('expires_at');
    const before = await stored('oauth-refresh-token');
    // What a killed worker leaves: the provider has rotated, nothing is stored, and the lease is still held.
    await new Promise<void>((died) => {
      provider.onRenewed = () => {
        died();
        return new Promise(() => {});
      };
      void ask().catch(() => {});
    });
    provider.onRenewed = async () => {};
    expect(await stored('oauth-refresh-token')).toBe(before);
    await age('renewing_until');
    const token = await ask(elsewhere);
    expect(provider.isGood(address, token)).toBe(true);
    expect(provider.used).toEqual([before, before]);
    expect(await stored('oauth-refresh-token')).toBe(provider.newestRefreshToken(address));
    expect(await state()).toBe('active');
  });

  test('that is under way while the person consents again leaves the new consent alone', async () => {
    await age('expires_at');
    let release = () => {};
    const held = new Promise<void>((arrived) => {
      provider.onRenewed = () => {
        arrived();
        return new Promise((resolve) => {
          release = resolve;
        });
      };
    });
    const late = ask();
    await held;
    const again = provider.grant(address);
    await db.database.inTenant(acme, async (em) => {
      const integration = await em.findOneOrFail(Integration, { id: mailbox.integrationId });
      const tokens = { ...again, renewAt: inMs(0.8 * AN_HOUR_MS), expiresAt: inMs(AN_HOUR_MS) };
      const { imap, smtp } = integration.mailboxSettings();
      const consent = { tokens } as Consent;
      await keepMailboxSecret(em, keys, integration, { address, imap, smtp, consent });
    });
    release();
    expect(await late).toBe(again.accessToken);
    expect(await stored('oauth-refresh-token')).toBe(again.refreshToken);
  });

  test('that comes back after another one has taken over stores nothing and takes what the other stored', async () => {
    await age('expires_at');
    let release = () => {};
    const held = new Promise<void>((arrived) => {
      provider.onRenewed = () => {
        provider.onRenewed = async () => {};
        arrived();
        return new Promise((resolve) => {
          release = resolve;
        });
      };
    });
    const zombie = ask();
    await held;
    await age('renewing_until');
    const token = await ask(elsewhere);
    release();
    expect(await zombie).toBe(token);
    expect(await stored('oauth-access-token')).toBe(token);
  });

  test.each([500, 503, 429])(
    'that the provider answers with %i is no loss: the token before is used meanwhile',
    async (status) => {
      await age('renew_at');
      const before = await stored('oauth-access-token');
      provider.faults.push(status);
      expect(await ask()).toBe(before);
      expect(await state()).toBe('active');
      expect(await ask()).not.toBe(before);
    },
  );

  test('that fails for a while, with no token left, is tried again later', async () => {
    await age('expires_at');
    provider.faults.push(503);
    await expect(ask()).rejects.toMatchObject({ type: 'oauth-unreachable', nonRetryable: false });
    expect(await state()).toBe('active');
    expect(provider.isGood(address, await ask())).toBe(true);
  });

  test('without an answer from anybody is tried again later', async () => {
    await age('expires_at');
    const away = { google: { ...oauth.google!, tokenUrl: 'http://127.0.0.1:1/token' } };
    await expect(accessTokenOf({ database: db.database, keys, oauth: away }, mailbox, 'google')).rejects.toMatchObject({
      type: 'oauth-unreachable',
      nonRetryable: false,
    });
    expect(await state()).toBe('active');
  });

  test('of an installation the provider does not know is nobody’s loss of consent', async () => {
    await age('expires_at');
    const wrong = { google: { ...oauth.google!, clientSecret: 'wrong' } };
    await expect(accessTokenOf({ database: db.database, keys, oauth: wrong }, mailbox, 'google')).rejects.toMatchObject(
      { type: 'oauth-client-refused', nonRetryable: true },
    );
    expect(await state()).toBe('active');
  });

  test('of a consent that was taken back makes the mailbox wait for a person, and says so once', async () => {
    await age('renew_at');
    provider.revoke(address);
    await expect(ask()).rejects.toMatchObject({ type: 'mailbox-consent-revoked', nonRetryable: true });
    await Promise.all([1, 2, 3].map(() => ask().catch(() => {})));
    expect(await state()).toBe('reconnect');
    const told = await db.database.inTenant(acme, async (em) => ({
      audited: await em.find(AuditEvent, { subjectId: mailbox.integrationId }),
      requests: await em.find(RunRequest, { name: 'tellOfLostMailbox', input: mailbox }),
    }));
    expect(told.requests).toHaveLength(1);
    expect(told.audited).toMatchObject([
      {
        action: 'integration.lost',
        actorKind: 'system',
        after: { reason: 'Google no longer lets this mailbox be opened.' },
      },
    ]);
  });

  test('leaves no token in clear', async () => {
    await age('renew_at');
    const token = await ask();
    const { rows } = await db.owner.query('select sealed from credential');
    expect(rows.some(({ sealed }) => sealed.includes(token))).toBe(false);
    await until('nobody holds the right to renew', async () => {
      const { rowCount } = await db.owner.query('select from credential where renewing_by is not null');
      return rowCount === 0;
    });
  });
});
