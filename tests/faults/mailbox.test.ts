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
  await connect(ADDRESS, 10);
}, 120_000);

async function connect(address: string, syncEverySeconds: number): Promise<string> {
  dovecot.addUser(address);
  const { api, house } = rounds;
  const server = { host: '127.0.0.1', security: 'none' as const, username: address };
  const { id } = await api.tryMailbox({
    body: {
      address,
      password: MAIL_PASSWORD,
      imap: { ...server, port: dovecot.port },
      smtp: { ...server, port: house.sink.port },
    },
  });
  await until('it was tried', async () => (await api.getMailboxTrial({ params: { id } })).state === 'passed');
  const body = { trialId: id, name: 'Support', since: '2026-01-01', syncEverySeconds };
  return (await api.connectMailbox({ body })).id;
}

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

describe('a mailbox that is watched', () => {
  test(
    'is watched again within seconds after its worker was killed',
    async () => {
      // Its schedule looks once, and not again today.
      const id = await connect('veille@acme.test', 86_400);
      const { house } = rounds;
      const isWatched = async () =>
        (await house.ask(`select 1 from integration where id = $1 and idle_offered`, [id])).length > 0;
      await until('it is watched', isWatched, 30_000);
      for (let count = 0; count < ROUNDS; count += 1) {
        process.kill(house.workers[0]!.pid!, 'SIGKILL');
        const subject = `Après la mort ${newId()}`;
        dovecot.append('veille@acme.test', [mail({ from: `${newId()}@example.com`, subject })]);
        await until(
          'its mail is there',
          async () => (await house.ask('select 1 from message where subject = $1', [subject])).length > 0,
          60_000,
          200,
        );
      }
    },
    120_000 * ROUNDS,
  );
});
