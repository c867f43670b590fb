// A worker killed while it reads a mailbox: every mail arrives, each once.
import { readFileSync, writeFileSync } from 'node:fs';
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
        expect(await arrived(run, MAILS)).toEqual(subjects.sort());
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

describe('a service that was away for five days', () => {
  const COUNT = ROUNDS > 1 ? 1_000 : 120;
  const KILLS = ROUNDS > 1 ? 5 : 2;

  test(
    'and is killed again and again while it catches up misses none of their mails',
    async () => {
      const address = 'panne@acme.test';
      const { house } = rounds;
      const [worker] = house.workers;
      const id = await connect(address, 10);
      const hasLooked = async () =>
        (await house.ask('select 1 from integration where id = $1 and last_success_at is not null', [id])).length > 0;
      await until('it was read before', hasLooked, 30_000);
      await worker!.stop();
      const run = newId().slice(-12);
      const subjects = Array.from({ length: COUNT }, (_, index) => `${run} ${index}`);
      for (const [index, subject] of subjects.entries()) {
        const received = new Date(Date.now() - (5 * 24 * 3600_000 * (COUNT - index)) / COUNT);
        const raw = mail({ from: `${run}-${index}@example.com`, subject, date: received, text: 'Rien de pressé.' });
        dovecot.append(address, [raw], 'INBOX', received);
      }
      for (let kill = 0; kill < KILLS; kill += 1) {
        const died = await house.arm(worker!, kill % 2 ? 'imap.after_commit' : 'imap.after_fetch');
        await died();
      }
      expect(await arrived(run, COUNT)).toEqual(subjects.sort());
    },
    120_000 * ROUNDS,
  );
});

describe('a mail far larger than memory should hold', () => {
  const OTHERS = ROUNDS > 1 ? 500 : 40;
  const HUGE_BYTES = ROUNDS > 1 ? 300_000_000 : 200_000_000;

  test(
    'is there with its beginning, among the others, and is never held whole',
    async () => {
      const address = 'enorme@acme.test';
      await connect(address, 10);
      const { house } = rounds;
      const pid = house.workers[0]!.pid!;
      const letters = (run: string, count: number) =>
        Array.from({ length: count }, (_, index) =>
          mail({ from: `${run}-${index}@example.com`, subject: `${run} ${index}`, text: 'x'.repeat(20_000) }),
        );
      const peakOf = async (mails: string[], run: string) => {
        forgetPeak(pid);
        dovecot.append(address, mails);
        await arrived(run, mails.length);
        return peakBytes(pid);
      };
      const [first, second, third] = [newId().slice(-12), newId().slice(-12), newId().slice(-12)];
      await peakOf(letters(first, OTHERS), first);
      const usual = await peakOf(letters(second, OTHERS), second);
      const text = 'y'
        .repeat(76)
        .concat('\n')
        .repeat(HUGE_BYTES / 77);
      const huge = mail({ from: `${third}-enorme@example.com`, subject: `${third} énorme`, text });
      const withHuge = letters(third, OTHERS).toSpliced(OTHERS / 2, 0, huge);
      const peak = await peakOf(withHuge, third);
      expect(house.workers[0]!.pid).toBe(pid);
      // What the heap grows by anyway varies by some dozen megabytes.
      expect(peak - usual).toBeLessThan(HUGE_BYTES / 2);
    },
    120_000 * ROUNDS,
  );
});

/** Since when the kernel was last told to forget it (proc(5), clear_refs). */
function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Waits until that many messages of a run are there. @returns their subjects, sorted */
async function arrived(run: string, count: number): Promise<string[]> {
  return until(
    'every mail is there',
    async () => {
      const rows = await persistently(() =>
        rounds.house.ask<{ subject: string }>(
          `select subject from message where subject like $1 and kind = 'personal' order by subject`,
          [`${run} %`],
        ),
      );
      return rows.length >= count && rows.map(({ subject }) => subject).sort();
    },
    90_000 * (ROUNDS > 1 ? 5 : 1),
    200,
  );
}

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
