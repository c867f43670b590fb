// A real IMAP server for one test file: Dovecot on loopback with folders of its own under TEST_HOME, plain, STARTTLS
// and TLS. Mail is put in and looked at through its Maildir files, which is quick and changes no flag.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { ImapFlow } from 'imapflow';
import { freePort } from '../../bin/house/ports.ts';
import type { MailSink } from './mail-sink.ts';
import { until } from './until.ts';

export const MAIL_PASSWORD = 'secret';
const FOLDERS = ['Sent', 'Drafts', 'Junk', 'Archive'];

export type StoredMail = { raw: string; seen: boolean };

export class Dovecot {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM, self-signed for `localhost`. */
  readonly certificate: string;
  readonly #home: string;
  readonly #owner: { uid: number; gid: number } | null;
  #process: ChildProcess | null = null;
  #count = 0;

  private constructor(home: string, ports: [number, number], introspectionUrl: string | null) {
    this.#home = home;
    [this.port, this.tlsPort] = ports;
    this.#owner = mailOwner();
    for (const folder of ['run', 'mail', 'users']) mkdirSync(path.join(home, folder), { recursive: true });
    if (this.#owner) chownSync(path.join(home, 'mail'), this.#owner.uid, this.#owner.gid);
    this.certificate = makeCertificate(home);
    const tokens = introspectionUrl ? acceptTokens(home, introspectionUrl) : '';
    writeFileSync(path.join(home, 'dovecot.conf'), configuration(home, this.port, this.tlsPort, this.#owner) + tokens);
  }

  /** @param introspectionUrl where it asks whose access token it was given; without one it takes passwords only */
  static async open(introspectionUrl: string | null = null): Promise<Dovecot> {
    const ports: [number, number] = [await freePort(), await freePort()];
    const dovecot = new Dovecot(path.join(process.env.TEST_HOME!, `dovecot-${ports[0]}`), ports, introspectionUrl);
    await dovecot.start();
    return dovecot;
  }

  /** Resolves when it greets. */
  async start(): Promise<void> {
    const log = openSync(path.join(this.#home, 'start.log'), 'a');
    this.#process = spawn(process.env.TEST_DOVECOT!, ['-F', '-c', path.join(this.#home, 'dovecot.conf')], {
      stdio: ['ignore', log, log],
      // A group of its own, so that a kill reaches all its processes at once.
      detached: true,
    });
    await until(`Dovecot answers (${this.#home}/dovecot.log)`, () => greets(this.port));
  }

  /** As when the machine loses power: no goodbye on any connection. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    // What it left behind would keep it from starting again.
    rmSync(path.join(this.#home, 'run'), { recursive: true, force: true });
    mkdirSync(path.join(this.#home, 'run'));
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  addUser(address: string, password = MAIL_PASSWORD): void {
    this.#writePassword(address, password);
    for (const folder of ['INBOX', ...FOLDERS]) this.#makeFolder(address, folder);
  }

  /** From now on only the new one opens the mailbox. */
  async changePassword(address: string, password: string): Promise<void> {
    this.#writePassword(address, password);
    // Dovecot looks at the file once a second.
    await until('the new password opens it', () => this.#opens(address, password));
  }

  /** Puts mails into a folder, in this order; they arrive all at once. */
  append(address: string, mails: readonly (string | Buffer)[], folder = 'INBOX', receivedAt = new Date()): void {
    this.#makeFolder(address, folder);
    const place = this.#folder(address, folder);
    const unfinished = mails.map((mail) => {
      this.#count += 1;
      const name = `${String(1_000_000_000 + this.#count)}.M${this.#count}P1Q${randomUUID().slice(0, 8)}.test`;
      const file = path.join(place, 'tmp', name);
      writeFileSync(file, typeof mail === 'string' ? mail.replace(/\r?\n/g, '\n') : mail);
      // Dovecot takes the file's time for the time it was received.
      utimesSync(file, receivedAt, receivedAt);
      this.#own(file);
      return name;
    });
    for (const name of unfinished) renameSync(path.join(place, 'tmp', name), path.join(place, 'new', name));
  }

  mails(address: string, folder = 'INBOX'): StoredMail[] {
    return this.#files(address, folder).map((file) => ({
      raw: readFileSync(file, 'utf8'),
      seen: /:2,[A-Z]*S/.test(file),
    }));
  }

  /** Deletes for good the mails whose text contains these words, as another program does. */
  expunge(address: string, words: string, folder = 'INBOX'): void {
    for (const file of this.#containing(address, words, folder)) rmSync(file);
  }

  move(address: string, words: string, from: string, to: string): void {
    this.#makeFolder(address, to);
    for (const file of this.#containing(address, words, from)) {
      renameSync(file, path.join(this.#folder(address, to), 'new', path.basename(file).replace(/:2,.*$/, '')));
    }
  }

  /** The folder is made anew with the same mails: all its numbers change (RFC 9051, 2.3.1.1). */
  async renewUidValidity(address: string, folder = 'INBOX'): Promise<void> {
    const before = await this.#uidValidity(address, folder);
    await until('the numbers have changed', async () => {
      // Who has the folder open may write the old ones back, and within a second the new ones would be the same.
      const place = this.#folder(address, folder);
      for (const name of readdirSync(place)) {
        if (name.startsWith('dovecot')) rmSync(path.join(place, name), { recursive: true });
      }
      return (await this.#uidValidity(address, folder)) !== before;
    });
  }

  /** Makes the server fail at the mails with these words. */
  spoil(address: string, words: string, folder = 'INBOX'): void {
    for (const file of this.#containing(address, words, folder)) chmodSync(file, 0o000);
  }

  /** Makes them readable again. */
  mend(address: string, words: string, folder = 'INBOX'): void {
    for (const file of this.#containing(address, words, folder)) chmodSync(file, 0o600);
  }

  /** Submitted mail is filed in the sender's Sent folder by the server, as Gmail and Exchange do. */
  filesWhatIsSentBy(sink: MailSink): void {
    sink.onAccepted = (mail) => this.append(mail.from, [mail.source], 'Sent');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
    await ended;
  }

  #writePassword(address: string, password: string): void {
    writeFileSync(path.join(this.#home, 'users', address), `${address}:{PLAIN}${password}\n`);
  }

  async #uidValidity(address: string, folder: string): Promise<bigint | undefined> {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: this.port,
      secure: false,
      doSTARTTLS: false,
      auth: { user: address, pass: MAIL_PASSWORD },
      logger: false,
    });
    await client.connect();
    const status = await client.status(folder, { uidValidity: true });
    await client.logout();
    return status ? status.uidValidity : undefined;
  }

  async #opens(address: string, password: string): Promise<boolean> {
    return (await ask(this.port, `1 LOGIN ${address} ${password}`)).startsWith('1 OK');
  }

  #containing(address: string, words: string, folder: string): string[] {
    const found = this.#files(address, folder).filter((file) => readFileSync(file, 'utf8').includes(words));
    if (found.length === 0) throw new Error(`No mail in ${folder} of ${address} contains ${words}`);
    return found;
  }

  #files(address: string, folder: string): string[] {
    const place = this.#folder(address, folder);
    return ['cur', 'new'].flatMap((part) =>
      readdirSync(path.join(place, part))
        .sort()
        .map((name) => path.join(place, part, name)),
    );
  }

  #makeFolder(address: string, folder: string): void {
    const place = this.#folder(address, folder);
    if (existsSync(path.join(place, 'cur'))) return;
    for (const part of ['', 'cur', 'new', 'tmp']) {
      mkdirSync(path.join(place, part), { recursive: true });
      this.#own(path.join(place, part));
    }
    this.#own(path.join(this.#home, 'mail', address));
  }

  #folder(address: string, folder: string): string {
    const root = path.join(this.#home, 'mail', address, 'Maildir');
    return folder === 'INBOX' ? root : path.join(root, `.${folder}`);
  }

  #own(place: string): void {
    if (this.#owner) chownSync(place, this.#owner.uid, this.#owner.gid);
  }
}

/** Stands between a client and a server: listens in, holds back, and cuts the line when it is told to. */
export class CuttableLine {
  /** Called with what the client asks, before the server hears it. */
  onAsked: (words: string) => void = () => {};
  /** Called with what the server has sent so far on one connection, in bytes. */
  onSent: (bytes: number) => void = () => {};
  /** What the client is told instead of what the server says. */
  rewrite: (words: string) => string = (words) => words;
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #answering = new Set<Socket>();
  #held = false;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client, connect(this.#target, '127.0.0.1')));
  }

  static async to(port: number): Promise<CuttableLine> {
    const line = new CuttableLine(port);
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Every connection that is open now ends. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The server's answers wait until they are released. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#answering) socket.pause();
  }

  release(): void {
    this.#held = false;
    for (const socket of this.#answering) socket.resume();
  }

  /** Nobody is connected any more. */
  get idle(): boolean {
    return this.#sockets.size === 0;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    let sent = 0;
    this.#answering.add(server);
    server.on('data', (chunk) => {
      sent += chunk.length;
      client.write(Buffer.from(this.rewrite(chunk.toString('latin1')), 'latin1'));
      this.onSent(sent);
    });
    client.on('data', (chunk) => {
      this.onAsked(chunk.toString('latin1'));
      server.write(chunk);
    });
    if (this.#held) server.pause();
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        client.destroy();
        server.destroy();
        this.#sockets.delete(socket);
        this.#answering.delete(socket);
      });
    }
  }
}

/** Dovecot never reads mail as root. */
function mailOwner(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function makeCertificate(home: string): string {
  const [key, certificate] = [path.join(home, 'key.pem'), path.join(home, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  );
  return readFileSync(certificate, 'utf8');
}

function configuration(
  home: string,
  port: number,
  tlsPort: number,
  owner: { uid: number; gid: number } | null,
): string {
  const { uid, gid } = owner ?? { uid: process.getuid!(), gid: process.getgid!() };
  // Without root there is no other user to become, and no folder to be locked into.
  const unprivileged = `
default_internal_user = #${uid}
default_internal_group = #${gid}
default_login_user = #${uid}
service anvil { chroot = }
service imap-login { chroot = }
service stats { chroot = }`;
  return `
base_dir = ${home}/run
state_dir = ${home}/run
log_path = ${home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${home}/cert.pem
ssl_key = <${home}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
# Nor is an address that guessed wrong made to wait longer and longer.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
mail_location = maildir:${home}/mail/%u/Maildir
mail_uid = ${uid}
mail_gid = ${gid}
first_valid_uid = 1
first_valid_gid = 0
mail_fsync = never
mail_max_userip_connections = 200
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = yes
  }
  process_min_avail = 1
}
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = username_format=%u ${home}/users/%u
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${home}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
${FOLDERS.map((name) => `  mailbox ${name} {\n    special_use = \\${name}\n    auto = subscribe\n  }`).join('\n')}
}
${owner ? '' : unprivileged}
`;
}

function acceptTokens(home: string, introspectionUrl: string): string {
  const settings = {
    introspection_mode: 'auth',
    introspection_url: introspectionUrl,
    username_attribute: 'email',
    active_attribute: 'active',
    active_value: 'true',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(path.join(home, 'oauth2.conf.ext'), lines.join(''));
  return `
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${home}/oauth2.conf.ext
}
`;
}

async function greets(port: number): Promise<boolean> {
  return (await ask(port, '')).startsWith('* OK');
}

/** What the server answers to one command, or its greeting when there is none; empty when it is not there. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    const end = () => {
      socket.destroy();
      resolve(heard);
    };
    socket.on('data', (chunk) => {
      heard = chunk.toString();
      if (heard.startsWith('* OK') && command) socket.write(`${command}\r\n`);
      else end();
    });
    socket.once('error', end);
    socket.once('close', end);
  });
}
