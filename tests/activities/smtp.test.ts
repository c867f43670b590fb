import { createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { transmit, tryLogin } from '#activities/providers/smtp.ts';
import type { MailServer } from '#domain/integrations/integration.ts';
import { MailSink } from '../support/mail-sink.ts';
import { mail } from '../support/mails.ts';

let sink: MailSink;
const others: Listening[] = [];

beforeAll(async () => {
  sink = await MailSink.open();
});

afterEach(async () => {
  sink.accepted.length = 0;
  sink.faults.length = 0;
  for (const server of others.splice(0)) await server.close();
});

afterAll(() => sink.close());

const server = (change: Partial<MailServer> = {}): MailServer => ({
  host: '127.0.0.1',
  port: sink.port,
  security: 'none',
  username: 'support@acme.test',
  ...change,
});

type Sending = {
  to?: string[];
  password?: string | null;
  server?: MailServer;
  mayGoOn?: () => Promise<boolean>;
  source?: Buffer;
};

function send(change: Sending = {}) {
  return transmit(
    { server: change.server ?? server(), password: change.password === undefined ? 'secret' : change.password },
    { from: 'support@acme.test', to: change.to ?? ['camille@client.com'] },
    () => Readable.from([change.source ?? Buffer.from(mail({ to: 'camille@client.com' }))]),
    { beforeFinalDot: change.mayGoOn ?? (async () => true), timeoutMs: 700 },
  );
}

describe('a mail handed to a server', () => {
  test('is accepted as it was written, dots and long lines included', async () => {
    const text = `.\r\n..\r\n.un point\r\n${'x'.repeat(5_000)}\r\nété`;
    const end = await send({ source: Buffer.from(mail({ text })) });
    expect(end).toMatchObject({ outcome: 'sent', response: expect.stringMatching(/^250/) });
    expect(sink.accepted).toHaveLength(1);
    expect(sink.accepted[0]?.source).toContain(text);
  });

  test('needs no password where the server asks for none', async () => {
    expect(await send({ password: null })).toMatchObject({ outcome: 'sent' });
  });

  test('that was fenced off before the final dot is never accepted', async () => {
    expect(await send({ mayGoOn: async () => false })).toMatchObject({ outcome: 'retry', failure: 'taken-over' });
    expect(await send()).toMatchObject({ outcome: 'sent' });
    expect(sink.accepted).toHaveLength(1);
  });

  test('can be tried again when the fence itself fails', async () => {
    const broken = async () => {
      throw new Error('The database is away.');
    };
    expect(await send({ mayGoOn: broken })).toMatchObject({ outcome: 'retry' });
    expect(sink.accepted).toEqual([]);
  });

  test('is accepted for some of its recipients, and the answer names the others', async () => {
    sink.faults.push({ at: 'rcpt', code: 550, text: '5.1.1 User unknown' });
    const end = await send({ to: ['gone@client.com', 'camille@client.com'] });
    expect(end).toMatchObject({
      outcome: 'sent',
      response: expect.stringMatching(/^250.*not accepted for gone@client\.com: 550 5\.1\.1 User unknown/),
    });
    expect(sink.accepted.map((one) => one.to)).toEqual([['camille@client.com']]);
  });
});

describe('a server that says no', () => {
  test.each([
    ['later, to the recipient (450)', { at: 'rcpt', code: 450, text: '4.2.0 greylisted' }, 'retry', 'server-busy'],
    ['later, to the sender (451)', { at: 'sender', code: 451, text: '4.3.0 try later' }, 'retry', 'server-busy'],
    ['later, to the text (452)', { at: 'data', code: 452, text: '4.2.2 mailbox full' }, 'retry', 'server-busy'],
    ['later, to the password (454)', { at: 'auth', code: 454, text: '4.7.0 cannot check now' }, 'retry', 'server-busy'],
    ['as too much (421)', { at: 'sender', code: 421, text: '4.7.0 Too many messages' }, 'retry', 'sending-limit'],
    ['as too much (450)', { at: 'rcpt', code: 450, text: '4.7.1 Rate limit exceeded' }, 'retry', 'sending-limit'],
    [
      'as the end of a day’s allowance (550)',
      { at: 'data', code: 550, text: '5.4.5 Daily user sending limit exceeded' },
      'retry',
      'sending-limit',
    ],
    [
      'later, as too much for the recipient (450)',
      { at: 'rcpt', code: 450, text: '4.2.1 The recipient is receiving mail at a rate that exceeds a limit' },
      'retry',
      'server-busy',
    ],
    [
      'for good, to the recipient (550)',
      { at: 'rcpt', code: 550, text: '5.1.1 User unknown' },
      'failed',
      'recipient-refused',
    ],
    [
      'for good, to the sender (553)',
      { at: 'sender', code: 553, text: '5.7.1 not yours' },
      'failed',
      'message-refused',
    ],
    ['for good, to the text (554)', { at: 'data', code: 554, text: '5.7.1 spam' }, 'failed', 'message-refused'],
  ] as const)('%s is understood', async (_case, fault, outcome, failure) => {
    sink.faults.push(fault);
    expect(await send()).toMatchObject({ outcome, failure, response: expect.stringContaining(fault.text) });
    expect(sink.accepted).toEqual([]);
  });

  test('to the password ends it: trying again would lock the account', async () => {
    expect(await send({ password: 'wrong' })).toMatchObject({ outcome: 'failed', failure: 'credentials-refused' });
    await expect(tryLogin({ server: server(), password: 'wrong' })).rejects.toMatchObject({ code: 'EAUTH' });
  });

  test('to encryption is never sent the password or the mail in the clear', async () => {
    const end = await send({ server: server({ security: 'starttls' }) });
    expect(end).toMatchObject({ outcome: 'retry' });
    expect(sink.accepted).toEqual([]);
  });
});

describe('a connection that is lost', () => {
  test('before the server greets leaves nothing sent', async () => {
    expect(await send({ server: server({ port: 1 }) })).toMatchObject({
      outcome: 'retry',
      failure: 'server-unreachable',
    });
  });

  test('before the final dot leaves nothing sent', async () => {
    const cut = await cuttingServer();
    let asked = 0;
    const mayGoOn = async () => {
      asked += 1;
      return true;
    };
    const end = await send({ server: server({ port: cut.port }), mayGoOn });
    expect(end).toMatchObject({ outcome: 'retry', failure: 'server-unreachable' });
    expect(asked).toBe(0);
  });

  test.each([
    ['after the dot, when the server had accepted', 'after-accepting', 1],
    ['after the dot, when it had not', 'before-accepting', 0],
    ['by silence after the dot', 'in-silence', 0],
  ] as const)('%s leaves the outcome unknown', async (_case, lost, accepted) => {
    sink.faults.push({ at: 'dot', lost });
    expect(await send()).toMatchObject({ outcome: 'unknown', failure: 'outcome-unknown' });
    expect(sink.accepted).toHaveLength(accepted);
  });

  test('by silence from the start is given up in time', async () => {
    const silent = await listen(() => {});
    expect(await send({ server: server({ port: silent.port }) })).toMatchObject({
      outcome: 'retry',
      failure: 'server-unreachable',
    });
  });
});

type Listening = { port: number; close: () => Promise<void> };

async function listen(serve: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const listening: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    serve(socket);
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const other = {
    port: (listening.address() as { port: number }).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listening.close(resolve));
    },
  };
  others.push(other);
  return other;
}

/** Speaks SMTP up to the text of the mail, and is gone. */
function cuttingServer(): Promise<Listening> {
  return listen((socket) => {
    socket.write('220 cut.test ESMTP\r\n');
    socket.on('data', (chunk) => {
      const command = chunk.toString().slice(0, 4).toUpperCase();
      if (command === 'EHLO') socket.write('250-cut.test\r\n250 AUTH PLAIN\r\n');
      else if (command === 'AUTH') socket.write('235 ok\r\n');
      else if (command === 'DATA') socket.destroy();
      else socket.write('250 ok\r\n');
    });
  });
}
