// A worker killed while it reads a mailbox: every mail arrives, each once.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { Dovecot, MAIL_PASSWORD } from '../support/dovecot.ts';
import { FaultRounds, ROUNDS } from '../support/fault-rounds.ts';
import { persistently } from '../support/installation.ts';
import { mail } from '../support/mails.ts';
import { until } from '../support/until.ts';

const ADDRESS = 'support@acme.test';
/** More than are fetched at a time. */
const MAILS = 60;

let rounds: FaultRounds;
let dovecot: Dovecot;

beforeAll(async () => {
  [rounds, dovecot] = await Promise.all([FaultRounds.open(), Dovecot.open()]);
  dovecot.addUser(ADDRESS);
  const { api, house } = rounds;
  const server = { host: '127.0.0.1', security: 'none' as const, username: ADDRESS };
  const { id } = await api.tryMailbox({
    body: {
      address: ADDRESS,
      password: MAIL_PASSWORD,
      imap: { ...server, port: dovecot.port },
      smtp: { ...server, port: house.sink.port },
    },
  });
  await until('it was tried', async () => (await api.getMailboxTrial({ params: { id } })).state === 'passed');
  await api.connectMailbox({ body: { trialId: id, name: 'Support', since: '2026-01-01', syncEverySeconds: 10 } });
}, 120_000);

afterAll(async () => {
  await dovecot?.stop();
  await rounds?.close();
});

describe('a worker killed', () => {
  test.each(['imap.after_fetch', 'imap.after_commit'])(
    'at %s loses no mail and keeps none twice',
    async (point) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        const { house } = rounds;
        const died = await house.arm(house.workers[0]!, point);
        const run = newId().slice(-12);
        const subjects = Array.from({ length: MAILS }, (_, index) => `${run} ${index}`);
        dovecot.append(
          ADDRESS,
          subjects.map((subject, index) =>
            mail({ from: `${run}-${index}@example.com`, subject, text: 'Rien de pressé.' }),
          ),
        );
        await died();
        const arrived = await until(
          'every mail is there',
          async () => {
            const rows = await persistently(() =>
              house.ask<{ subject: string }>(
                `select subject from message where subject like $1 and kind = 'personal'`,
                [`${run} %`],
              ),
            );
            return rows.length >= MAILS && rows.map(({ subject }) => subject);
          },
          90_000,
          200,
        );
        expect(arrived.sort()).toEqual(subjects.sort());
        const [receipts] = await house.ask<{ n: number }>(
          `select count(*)::int as n from receipt join message on message.id = receipt.message_id where subject like $1`,
          [`${run} %`],
        );
        expect(receipts?.n).toBe(MAILS);
      }
    },
    120_000 * ROUNDS,
  );
});
