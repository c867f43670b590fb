// Bounces (RFC 3464): by the type of the report, or, because many servers send plain text, by a mail server's address
// together with words of failure.
import { isMailSystem } from './email-address.ts';
import { foldText } from './folded-text.ts';
import { headerLine, isEmptyPath, type MailTraits, type MailVerdict, reportType, verdict } from './mail-traits.ts';

const READ_CHARACTERS = 3000;

/** "Re: Undelivered Mail" is a person talking about one. */
const FAILURE_SUBJECT =
  /^(?!re ?:).*(undeliver|delivery (status( notification|$)|failure|has failed|failed|incomplete|delayed|problem)|mail delivery|mail failed|could not be delivered|error (sending|delivering)|failure notice|returned mail|non-?delivery|message non (distribu|remis|delivr)|echec de (la )?(remise|livraison|distribution)|non remis|unzustellbar|zustellung fehlgeschlagen|no se (ha podido|puede) entregar|mancata consegna|message you sent blocked|^warning: (message|could not send)|quota exceeded|rejected)/;
const FAILURE_TEXT =
  /could not be delivered|couldn't be delivered|error delivering|unable to deliver|did not reach|had delivery errors|(unknown|no such) user|recipient address rejected|was not delivered|delivery (to the following|failed|has failed)|permanent (fatal )?error|user unknown|mailbox (unavailable|full|not found)|n'a pas pu etre (remis|delivre|distribue|envoye)|not (yet )?been delivered|(un|wasn't )able to deliver|n'a pas ete (remis|delivre|distribue)|nicht zugestellt werden|no se ha podido entregar|550[ -]5\.\d|status: 5\.\d/;

export function bounceVerdict(mail: MailTraits): MailVerdict | null {
  if (reportType(mail) === 'delivery-status') {
    return verdict('bounce', 'delivery-status', `Content-Type: ${mail.contentType}`);
  }
  const sender = mail.senderAddress ?? '';
  const from = `From: ${sender}`;
  const isFailure = FAILURE_SUBJECT.test(fold(mail.subject));
  if (!isFromMailSystem(mail)) return isFailure ? returnedByOthers(mail, from) : null;
  const recipients = headerLine(mail.headers, 'x-failed-recipients');
  if (recipients) return verdict('bounce', 'failed-recipients', from, recipients);
  if (isFailure) return verdict('bounce', 'failure-subject', from, `Subject: ${mail.subject}`);
  // People write from postmaster@ too: the text alone convicts the daemon only, or a mail without a return path.
  const machine = !/^postmaster/i.test(sender.trim()) || isEmptyPath(mail.returnPath);
  const words = machine ? FAILURE_TEXT.exec(fold(mail.text)) : null;
  if (words) return verdict('bounce', 'failure-text', from, words[0]);
  // Nobody writes letters from a daemon's address.
  return /^mail/i.test(sender) ? verdict('bounce', 'mail-system', from) : null;
}

/** By its address; some write only a name (`MAILER-DAEMON <>`), or nothing at all (`<>`), into From. */
export function isFromMailSystem({ headers, senderAddress }: Pick<MailTraits, 'headers' | 'senderAddress'>): boolean {
  if (senderAddress) return isMailSystem(senderAddress);
  const from = headerLine(headers, 'from');
  return from !== null && (/^(""|<>|\s)*$/.test(from.value) || SYSTEM_NAME.test(from.value));
}

const SYSTEM_NAME = /mailer-?daemon|mail deliver(y|er)? (sub)?system|postmaster/i;

/** A gateway's own administrator says it, and takes no answer. A person's program names itself. */
function returnedByOthers(mail: MailTraits, from: string): MailVerdict | null {
  const isMachine = isEmptyPath(mail.returnPath) && !headerLine(mail.headers, 'x-mailer');
  const words = isMachine ? FAILURE_TEXT.exec(fold(mail.text)) : null;
  return words && verdict('bounce', 'failure-text', from, `Subject: ${mail.subject}`, words[0]);
}

function fold(text: string): string {
  return foldText(text.slice(0, READ_CHARACTERS), { exact: false, lines: false }).text;
}
