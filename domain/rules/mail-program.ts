// Was a mail written in a program that people write their letters in? Each names itself, or leaves a header of its own;
// campaigns, shops and servers send with libraries, which name themselves too or say nothing.
import { headerLine, type MailTraits } from './mail-traits.ts';

const PROGRAMS =
  /outlook|thunderbird|mozilla|apple mail|(iphone|ipad) mail|roundcube|zimbra|open-xchange|evolution|kmail|k-9|emclient|postbox|the bat|ymail|webmail|sfr mail|horde|squirrelmail|sogo|snappymail|bluemail|airmail|mailmate|claws|mutt|incredimail|windows live mail|lotus|domino/i;
/** Outlook and Exchange, Gmail. */
const OWN_HEADERS = [
  'thread-index',
  'thread-topic',
  'x-ms-exchange-crosstenant-network-message-id',
  'x-gm-message-state',
];

export function isByMailProgram(headers: MailTraits['headers']): boolean {
  const named = ['x-mailer', 'user-agent'].some((name) => PROGRAMS.test(headerLine(headers, name)?.value ?? ''));
  return named || OWN_HEADERS.some((name) => headerLine(headers, name) !== null);
}
