// Hands one mail to one SMTP server (RFC 5321) and tells exactly how far it came. Until the final dot has been written
// nothing can have been accepted; after it, a lost connection leaves the outcome unknown.
import { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import XOAuth2 from 'nodemailer/lib/xoauth2';
import { StoreUnavailable } from '#domain/attachments/attachment-store.ts';
import type { MailServer } from '#domain/integrations/integration.ts';
import type { MailSecret } from './imap.ts';

/** Without a password the server is expected to ask for none. */
export type SmtpAccount = { server: MailServer } & (MailSecret | { password: null });

export type Envelope = { from: string; to: string[] };

export type TransmitEnd =
  /** Refused while the mail was taken for the others. */
  | { outcome: 'sent'; response: string; refusedRecipients: string[] }
  | { outcome: 'retry'; failure: string; response: string }
  | { outcome: 'failed'; failure: string; response: string }
  | { outcome: 'unknown'; failure: string; response: string };

export type TransmitOptions = {
  /** Called when all but the final dot is written; false breaks the connection, and nothing is accepted. */
  beforeFinalDot: () => Promise<boolean>;
  timeoutMs?: number;
};

const DEFAULT_TIMEOUT_MS = 30_000;

/** Gives the complete mail, CRLF line ends or not, from its beginning at every call. */
export type MailSource = () => Readable;

/**
 * @returns how it ended; never throws for what a server or network can do
 */
export async function transmit(
  account: SmtpAccount,
  envelope: Envelope,
  source: MailSource,
  options: TransmitOptions,
): Promise<TransmitEnd> {
  const connection = connectionTo(account.server, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const progress = { handedOver: false, fencedOff: false };
  try {
    await opened(connection);
    await loggedIn(connection, account);
    const body = heldAtFinalDot(source, progress, connection, options.beforeFinalDot);
    const answer = await delivered(connection, envelope, body);
    connection.quit();
    return { outcome: 'sent', ...answer };
  } catch (error) {
    connection.close();
    if (progress.fencedOff)
      return { outcome: 'retry', failure: 'taken-over', response: 'Another attempt has taken over.' };
    return endOf(error as SmtpError, progress.handedOver);
  }
}

/** Opens, greets and logs in, then leaves: the test of a mailbox's settings. @throws SmtpError */
export async function tryLogin(account: SmtpAccount, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
  const connection = connectionTo(account.server, timeoutMs);
  try {
    await opened(connection);
    await loggedIn(connection, account);
    connection.quit();
  } catch (error) {
    connection.close();
    throw error;
  }
}

export type SmtpError = Error & {
  /** Of the connection's own kind; what Node said of the socket stands in `originalCode`. */
  code?: string;
  originalCode?: string;
  responseCode?: number;
  response?: string;
  command?: string;
};

function connectionTo(server: MailServer, timeoutMs: number): SMTPConnection {
  return new SMTPConnection({
    host: server.host,
    port: server.port,
    secure: server.security === 'tls',
    requireTLS: server.security === 'starttls',
    ignoreTLS: server.security === 'none',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
}

function opened(connection: SMTPConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.once('error', reject);
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
}

async function loggedIn(connection: SMTPConnection, account: SmtpAccount): Promise<void> {
  const user = account.server.username;
  if ('accessToken' in account) {
    await login(connection, { user, oauth2: new XOAuth2({ user, accessToken: account.accessToken }) });
  } else if (account.password !== null) {
    const pass = account.password;
    await login(connection, { user, pass, credentials: { user, pass } });
  }
}

function login(connection: SMTPConnection, auth: SMTPConnection.AuthenticationType): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.once('error', reject);
    connection.login(auth, (error) => (error ? reject(error) : resolve()));
  });
}

type Answer = { response: string; refusedRecipients: string[] };

function delivered(connection: SMTPConnection, envelope: Envelope, body: Readable): Promise<Answer> {
  return new Promise((resolve, reject) => {
    connection.once('error', reject);
    // After a 421 the reason follows at once, to the callback.
    connection.once('end', () =>
      setImmediate(reject, Object.assign(new Error('The server closed the connection.'), { code: 'ECONNECTION' })),
    );
    connection.send(envelope, body, (error, info) => (error ? reject(error) : resolve(answerOf(info))));
  });
}

// A server may take a mail for some of its recipients only: whoever reads the answer is told who was left out.
function answerOf(info: { response?: string; rejectedErrors?: SmtpError[] } | undefined): Answer {
  const errors = (info?.rejectedErrors ?? []) as (SmtpError & { recipient?: string })[];
  const reasons = errors.map((error) => `${error.recipient ?? '?'}: ${error.response ?? error.message}`);
  const answer = String(info?.response ?? '');
  return {
    response: reasons.length > 0 ? `${answer} (not accepted for ${reasons.join('; ')})` : answer,
    refusedRecipients: errors.flatMap(({ recipient }) => recipient ?? []),
  };
}

// The last place where the mail can still be held back: SMTPConnection writes the final dot when this stream ends. It
// is read only once the server has asked for the text (354), so that nothing earlier counts as handed over.
function heldAtFinalDot(
  source: MailSource,
  progress: { handedOver: boolean; fencedOff: boolean },
  connection: SMTPConnection,
  beforeFinalDot: () => Promise<boolean>,
): Readable {
  async function* text() {
    yield* source();
    progress.handedOver = await beforeFinalDot();
    progress.fencedOff = !progress.handedOver;
    if (progress.fencedOff) throw new Error('held back');
  }
  return Readable.from(text(), { objectMode: false }).once('error', (error) => {
    connection.close();
    connection.emit('error', error);
  });
}

/** Turns an SMTP or network error into what it means for the mail (RFC 5321: 4yz try again, 5yz do not). */
function endOf(error: SmtpError, handedOver: boolean): TransmitEnd {
  const response = error.response ?? error.message;
  // Read while the mail is written: its end has not been.
  if (error instanceof StoreUnavailable) return { outcome: 'retry', failure: 'store-unavailable', response };
  const code = error.responseCode;
  // 454 is a server that cannot check the password now (RFC 4954, 6).
  if (error.code === 'EAUTH' && !(code !== undefined && code < 500))
    return { outcome: 'failed', failure: 'credentials-refused', response };
  // Encryption that was there may be back; a refusal of it says nothing of the mail.
  if (error.code === 'ETLS') return { outcome: 'retry', failure: 'server-unreachable', response };
  if (isLimit(code, response)) return { outcome: 'retry', failure: 'sending-limit', response };
  if (code !== undefined && code >= 500) return { outcome: 'failed', failure: refusalOf(error), response };
  if (code !== undefined && code >= 400) return { outcome: 'retry', failure: 'server-busy', response };
  if (error.code === 'EENVELOPE') return { outcome: 'failed', failure: refusalOf(error), response };
  if (handedOver) return { outcome: 'unknown', failure: 'outcome-unknown', response };
  return { outcome: 'retry', failure: 'server-unreachable', response };
}

// Too much from this mailbox, in the words of Google, Microsoft, Postfix, Exim and the large hosters. What a recipient's
// server says of too much for that recipient is a busy server. Gmail ends a day's allowance with 550 5.4.5.
const TOO_MUCH =
  /\b(too (many|much|fast)|rate.{0,12}(limit|exceed)|limit.{0,20}(exceeded|reached)|exceeded.{0,40}(limit|rate|quota)|throttl|unusual rate|slow(ing)? down)/i;
const FOR_THE_RECIPIENT = /receiving mail|mailbox|recipient/i;

function isLimit(code: number | undefined, response: string): boolean {
  if (code === 550 && /5\.4\.5\b/.test(response)) return /sending (limit|quota)/i.test(response);
  return (
    code !== undefined &&
    [421, 450, 451, 452].includes(code) &&
    TOO_MUCH.test(response) &&
    !FOR_THE_RECIPIENT.test(response)
  );
}

// Every refusal before the text is an EENVELOPE; the command tells whom it is about.
function refusalOf(error: SmtpError): string {
  return error.command === 'MAIL FROM' || error.command === 'DATA' ? 'message-refused' : 'recipient-refused';
}
