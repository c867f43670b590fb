// Mail servers for the benchmark, and mailboxes of its company on them, connected as an admin connects them.
import { needDebianPackage } from '../bin/house/debian-tools.ts';
import { Dovecot, MAIL_PASSWORD } from '../tests/support/dovecot.ts';
import { MailSink } from '../tests/support/mail-sink.ts';
import { mail } from '../tests/support/mails.ts';
import { until } from '../tests/support/until.ts';
import type { BenchHouse } from './house.ts';

/** So seldom that only the first look is made by the schedule. */
const SELDOM_SECONDS = 86_400;
const BEFORE_ALL_MAIL = '2026-01-01';

export type MailServers = { dovecot: Dovecot; sink: MailSink };

export async function openMailServers(home: string): Promise<MailServers> {
  process.env.TEST_HOME = home;
  process.env.TEST_DOVECOT = await needDebianPackage('/usr/sbin/dovecot', 'dovecot-imapd');
  return { dovecot: await Dovecot.open(), sink: await MailSink.open() };
}

export async function closeMailServers({ dovecot, sink }: MailServers): Promise<void> {
  await dovecot.stop();
  await sink.close();
}

/** A mailbox with so many letters of ordinary length, each from somebody else. @returns its address */
export function makeMailbox({ dovecot }: MailServers, name: string, count: number): string {
  const address = `${name}@acme.test`;
  dovecot.addUser(address);
  const letters = Array.from({ length: count }, (_, at) =>
    mail({
      from: `Camille ${at} <${name}.${at}@example.com>`,
      subject: `Ma commande ${at}`,
      text: Array.from(
        { length: 4 + (at % 60) },
        (_line, line) => `Bonjour, ligne ${line} : où en est la commande #${at}, passée la semaine dernière ?`,
      ).join('\r\n'),
    }),
  );
  dovecot.append(address, letters);
  return address;
}

/** Tries it, then connects it, which starts the first look. @returns its id, and when it was asked to be connected */
export async function connectMailbox(
  { company: { api } }: BenchHouse,
  { dovecot, sink }: MailServers,
  address: string,
  since = BEFORE_ALL_MAIL,
): Promise<{ id: string; askedAt: number }> {
  const at = (port: number) => ({ host: '127.0.0.1', port, security: 'none' as const, username: address });
  const { id } = await api.tryMailbox({
    body: { address, password: MAIL_PASSWORD, imap: at(dovecot.port), smtp: at(sink.port) },
  });
  await until('it was tried', async () => (await api.getMailboxTrial({ params: { id } })).state !== 'running', 60_000);
  const askedAt = Date.now();
  const connected = await api.connectMailbox({
    body: { trialId: id, name: address, since, syncEverySeconds: SELDOM_SECONDS },
  });
  return { id: connected.id, askedAt };
}

/** Asks until so many rows are there. @returns when they were, in milliseconds since the epoch */
export async function whenThere(
  { owner }: BenchHouse,
  sql: 'receipts' | 'messages',
  integrationId: string,
  count: number,
  withinMs: number,
): Promise<number> {
  await until(
    `${count} ${sql} are there`,
    async () => (await owner.query<{ n: number }>(COUNTS[sql], [integrationId])).rows[0]!.n >= count,
    withinMs,
    LOOK_EVERY_MS,
  );
  return Date.now();
}

const LOOK_EVERY_MS = 100;
const COUNTS = {
  receipts: 'select count(*)::int as n from receipt where integration_id = $1',
  messages: 'select count(*)::int as n from message where integration_id = $1 and kind is not null',
};
