// The demo's mail server: a mailbox that can be read by IMAP, and an SMTP server that takes what is sent. It listens on
// this machine only and forgets everything when it stops.
import hoodiecrow from 'hoodiecrow-imap';
import { SMTPServer } from 'smtp-server';
import { needPort } from '../house/ports.ts';

export type DemoMail = { raw: Buffer; subject: string; receivedAt: Date };

const ADDRESS = 'bonjour@atelier-lavande.example';
const PASSWORD = 'demo';

export class DemoMailServer {
  readonly address = ADDRESS;
  readonly password = PASSWORD;
  readonly imapPort = Number(process.env.DEMO_IMAP_PORT ?? 25_143);
  readonly smtpPort = Number(process.env.DEMO_SMTP_PORT ?? 25_125);
  readonly #imap = hoodiecrow({
    plugins: ['ID', 'SPECIAL-USE', 'UIDPLUS', 'NAMESPACE', 'LITERALPLUS', 'UNSELECT', 'ENABLE'],
    users: { [ADDRESS]: { password: PASSWORD } },
    storage: {
      // Another number at every start: the mails of the start before are gone, and with them the meaning of their UIDs.
      INBOX: { uidvalidity: Math.floor(Date.now() / 1000) },
      '': { separator: '/', folders: { Sent: { 'special-use': '\\Sent' } } },
    },
  });
  readonly #smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authOptional: true,
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
    onData: (stream, _session, done) => {
      // Nobody reads what the invented clients are sent: it leaves the house here.
      stream.resume();
      stream.once('end', () => done(null, 'Accepted by the demo'));
    },
  });

  private constructor() {
    this.#smtp.on('error', () => {});
  }

  /** @throws StartProblem when a port is taken */
  static async open(): Promise<DemoMailServer> {
    const server = new DemoMailServer();
    await needPort(server.imapPort, "the demo's mailbox", 'DEMO_IMAP_PORT');
    await needPort(server.smtpPort, "the demo's mail server", 'DEMO_SMTP_PORT');
    await new Promise<void>((resolve) => server.#imap.listen(server.imapPort, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => server.#smtp.listen(server.smtpPort, '127.0.0.1', () => resolve()));
    return server;
  }

  get smtpUrl(): string {
    return `smtp://127.0.0.1:${this.smtpPort}?security=none`;
  }

  deliver(mails: readonly DemoMail[]): void {
    for (const { raw, receivedAt } of mails) {
      // As a string: of a Buffer it cannot send a part.
      this.#imap.appendMessage('INBOX', [], imapDate(receivedAt), raw.toString('latin1'));
    }
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 9051, date-time: `05-Nov-2026 09:30:00 +0000` */
function imapDate(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
