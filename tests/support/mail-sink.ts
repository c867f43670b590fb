// A real SMTP server that keeps what it accepts and can be told to misbehave as servers do.
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export type AcceptedMail = { from: string; to: string[]; mail: ParsedMail; source: string };

/** What the server does with the next mails: one answer each, then it accepts again. */
export type SinkFault =
  | { at: 'auth' | 'sender' | 'rcpt' | 'data'; code: number; text: string }
  /** The mail is accepted and kept, and the sender never hears it. */
  | { at: 'dot'; lost: 'after-accepting' }
  /** The mail is refused by silence: the connection goes before anything was kept. */
  | { at: 'dot'; lost: 'before-accepting' }
  /** The mail is neither accepted nor refused: the server says nothing more. */
  | { at: 'dot'; lost: 'in-silence' };

export class MailSink {
  readonly accepted: AcceptedMail[] = [];
  readonly faults: SinkFault[] = [];
  /** Recipients nobody has here. */
  readonly refused = new Set<string>();
  /** Called for every mail that is kept, before the sender hears of it. */
  onAccepted: (mail: AcceptedMail) => Promise<void> | void = () => {};
  /** Whether a token opens the account that is named with it. */
  acceptsToken: (user: string, accessToken: string) => boolean = () => false;
  readonly #server: SMTPServer;

  private constructor() {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      authMethods: ['PLAIN', 'LOGIN', 'XOAUTH2'],
      onAuth: ({ username = '', password, accessToken }, _session, done) => {
        const isWrong = accessToken === undefined ? password === 'wrong' : !this.acceptsToken(username, accessToken);
        done(isWrong ? new Error('5.7.8 wrong password') : this.#refusal('auth'), { user: username });
      },
      onMailFrom: (_address, _session, done) => done(this.#refusal('sender')),
      onRcptTo: ({ address }, _session, done) =>
        done(this.refused.has(address) ? answer(550, '5.1.1 User unknown') : this.#refusal('rcpt')),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk) => chunks.push(chunk));
        stream.on('end', () => void this.#receive(Buffer.concat(chunks), session, done));
      },
    });
    this.#server.on('error', () => {});
  }

  static async open(port = 0): Promise<MailSink> {
    const sink = new MailSink();
    await new Promise<void>((resolve) => sink.#server.listen(port, '127.0.0.1', () => resolve()));
    return sink;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}?security=none`;
  }

  /** Mails to one address, in the order they were accepted. */
  to(address: string): AcceptedMail[] {
    return this.accepted.filter((mail) => mail.to.includes(address));
  }

  /** Somebody is connected. */
  get isBusy(): boolean {
    return (this.#server.connections as unknown as Set<unknown>).size > 0;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #refusal(at: 'auth' | 'sender' | 'rcpt' | 'data'): Error | null {
    const [next] = this.faults;
    if (next?.at !== at) return null;
    this.faults.shift();
    return answer(next.code, next.text);
  }

  async #receive(
    source: Buffer,
    session: { envelope: { mailFrom: false | { address: string }; rcptTo: { address: string }[] }; id: string },
    done: (error?: Error | null, message?: string) => void,
  ): Promise<void> {
    const refusal = this.#refusal('data');
    if (refusal) return done(refusal);
    const [fault] = this.faults;
    if (fault?.at === 'dot') {
      this.faults.shift();
      if (fault.lost === 'in-silence') return;
      if (fault.lost === 'after-accepting') await this.#keep(source, session.envelope);
      return this.#drop(session.id);
    }
    await this.#keep(source, session.envelope);
    done(null, 'queued');
  }

  async #keep(
    source: Buffer,
    envelope: { mailFrom: false | { address: string }; rcptTo: { address: string }[] },
  ): Promise<void> {
    const mail: AcceptedMail = {
      from: envelope.mailFrom ? envelope.mailFrom.address : '',
      to: envelope.rcptTo.map((recipient) => recipient.address),
      mail: await simpleParser(source),
      source: source.toString('utf8'),
    };
    this.accepted.push(mail);
    await this.onAccepted(mail);
  }

  #drop(sessionId: string): void {
    for (const connection of this.#server.connections as unknown as Set<{
      id: string;
      close: () => void;
      _socket: { destroy: () => void };
    }>) {
      if (connection.id === sessionId) connection._socket.destroy();
    }
  }
}

function answer(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}
