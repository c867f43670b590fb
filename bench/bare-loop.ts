// What the product's reading of a mailbox is measured against: fetch, parse, one INSERT for each fifty mails, nothing else.
import { ImapFlow } from 'imapflow';
import { simpleParser } from 'mailparser';
import pg from 'pg';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { MAIL_PASSWORD } from '../tests/support/dovecot.ts';

const MAILS_A_COMMAND = 50;
const COLUMNS = ['id', 'message_id', 'sender', 'subject', 'text', 'raw'] as const;

type Row = Record<(typeof COLUMNS)[number], string | Buffer | null>;

/** @returns how many it read, and how long that took, from before the connection to the last commit */
export async function readBarely(
  databaseUrl: string,
  mailbox: { port: number; address: string },
): Promise<{ mails: number; ms: number }> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const table = await pool.connect();
  await table.query(
    'create temporary table bare_mail (id uuid primary key, message_id text, sender text, subject text, text text, raw bytea)',
  );
  const began = performance.now();
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: mailbox.port,
    secure: false,
    doSTARTTLS: false,
    auth: { user: mailbox.address, pass: MAIL_PASSWORD },
    logger: false,
  });
  await client.connect();
  await client.mailboxOpen('INBOX', { readOnly: true });
  const uids = (await client.search({ all: true }, { uid: true })) || [];
  for (let done = 0; done < uids.length; done += MAILS_A_COMMAND) {
    const rows: Row[] = [];
    const wanted = uids.slice(done, done + MAILS_A_COMMAND);
    for await (const { source } of client.fetch(wanted, { source: true }, { uid: true }))
      rows.push(await parsed(source!));
    await insert(table, rows);
  }
  await client.logout();
  const ms = performance.now() - began;
  table.release(true);
  await pool.end();
  return { mails: uids.length, ms };
}

async function parsed(raw: Buffer): Promise<Row> {
  const mail = await simpleParser(raw);
  return {
    id: newId(),
    message_id: mail.messageId ?? null,
    sender: mail.from?.text ?? null,
    subject: mail.subject ?? null,
    text: mail.text ?? null,
    raw,
  };
}

async function insert(table: pg.PoolClient, rows: Row[]): Promise<void> {
  const places = rows.map((_, row) => `(${COLUMNS.map((_name, column) => `$${row * COLUMNS.length + column + 1}`)})`);
  await table.query(
    `insert into bare_mail (${COLUMNS.join(', ')}) values ${places.join(', ')}`,
    rows.flatMap((row) => COLUMNS.map((name) => row[name])),
  );
}
