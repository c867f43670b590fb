// What kind of mail is this: from a person, or from a machine that must not be answered? (RFC 3834,
// 3464, 8098.) Precision first: a client's personal mail must never be filtered, so a sign that people's mail carries
// too (X-Auto-Response-Suppress, no-reply senders, List-Unsubscribe) decides nothing by itself.
import { absenceSubject, isAbsenceBeforeOurs } from './absence-subject.ts';
import { authenticationFailure } from './authentication-results.ts';
import { bounceVerdict } from './bounced-mail.ts';
import { BULK_SCORE, bulkSignals } from './bulk-mail.ts';
import { isMailSystem, isNoReply, normaliseAddress } from './email-address.ts';
import { machineNotice } from './machine-notice.ts';
import {
  type HeaderLine,
  headerLine,
  headerLines,
  isBulkPrecedence,
  isEmptyPath,
  keyword,
  type MailTraits,
  type MailVerdict,
  reportType,
  verdict,
} from './mail-traits.ts';
import { relayedLetter } from './relayed-letter.ts';
import { senderRule, spamVerdict } from './spam-mail.ts';

const SUBJECT_OF_ANSWER = /^\s*(re|aw|sv|rv|antw) ?:/i;
const MAIL_LIBRARY = /php|swift ?mailer|symfony|nodemailer|javamail|mail::|smtplib|lotus|domino/i;

export type { MailHeaders, MailKind, MailTraits, MailVerdict } from './mail-traits.ts';

/**
 * Loops and bounces first, because they concern our own mail whoever sent them; then the tenant's block list, and the
 * Junk folder for strangers; then machines; then the allow list, which wins over the server's and our own guess of spam
 * and bulk.
 */
export function classifyMail(mail: MailTraits): MailVerdict {
  const certain = loopVerdict(mail) ?? bounceVerdict(mail);
  if (certain) return certain;
  const rule = senderRule(mail);
  if (rule?.verdict === 'block') return verdict('spam', 'sender-blocked', `Blocked: ${rule.pattern}`);
  const isKnown = rule?.verdict === 'allow' || mail.answersUs;
  if (mail.inJunk && !isKnown) return verdict('spam', 'junk-folder');
  const automatic = automaticVerdict(mail);
  if (automatic) return automatic;
  if (rule?.verdict === 'allow') return verdict('personal', 'sender-allowed', `Allowed: ${rule.pattern}`);
  if (mail.answersUs) return verdict('personal', 'answers-us');
  const spam = spamVerdict(mail);
  if (spam) return spam;
  const relayed = relayedLetter(mail);
  if (relayed) return verdict('personal', 'relayed-letter', relayed);
  return bulkVerdict(mail) ?? noticeVerdict(mail) ?? verdict('personal', 'no-sign');
}

/** May a machine answer this mail (RFC 3834 section 2)? A person always may. `reason`: a stable code. */
export function mayAutoReplyTo(mail: MailTraits, { kind }: MailVerdict): { allowed: boolean; reason: string } {
  const refused = (reason: string) => ({ allowed: false, reason });
  if (kind !== 'personal') return refused(`kind-${kind}`);
  const sender = mail.senderAddress && normaliseAddress(mail.senderAddress);
  if (!sender) return refused('no-sender');
  if (isOwn(mail, sender)) return refused('own-address');
  const replyTo = headerLine(mail.headers, 'reply-to')?.value ?? '';
  if ([sender, replyTo].some((address) => isNoReply(address) || isMailSystem(address)))
    return refused('no-reply-sender');
  if (isEmptyPath(mail.returnPath)) return refused('empty-return-path');
  if (mail.headers.some(([name]) => /^\s*list-/i.test(name))) return refused('list-header');
  if (headerLines(mail.headers, 'precedence').some(({ value }) => isBulkPrecedence(value)))
    return refused('precedence');
  if (autoSubmitted(mail)) return refused('auto-submitted');
  if (authenticationFailure(mail.headers)) return refused('authentication-failed');
  const suppressed = headerLines(mail.headers, 'x-auto-response-suppress').some(({ value }) =>
    value.split(/[\s,;]+/).some((word) => ['all', 'autoreply', 'oof'].includes(word.trim().toLowerCase())),
  );
  return suppressed ? refused('auto-response-suppressed') : { allowed: true, reason: 'allowed' };
}

function loopVerdict(mail: MailTraits): MailVerdict | null {
  if (mail.ownMessageId) return verdict('loop', 'own-message-id', headerLine(mail.headers, 'message-id'));
  const ours = headerLines(mail.headers, 'x-loop').find(({ value }) => isOwn(mail, value));
  if (ours) return verdict('loop', 'own-x-loop', ours);
  // A colleague who writes by hand from one of the company's addresses is a person like any other.
  if (!mail.senderAddress || !isOwn(mail, mail.senderAddress)) return null;
  const sign = headerLine(mail.headers, 'x-loop') ?? autoSubmitted(mail) ?? autoReplyHeader(mail);
  return sign ? verdict('loop', 'own-automatic-mail', sign) : null;
}

function automaticVerdict(mail: MailTraits): MailVerdict | null {
  const report = reportType(mail);
  if (report === 'disposition-notification' || report === 'feedback-report') {
    const reason = report === 'feedback-report' ? report : 'read-receipt';
    return verdict('automatic', reason, `Content-Type: ${mail.contentType}`);
  }
  // Outlook.com's form of a feedback report, which says its type nowhere.
  const complaint = headerLine(mail.headers, 'x-hmxmroriginalrecipient');
  if (complaint) return verdict('automatic', 'feedback-report', complaint);
  const submitted = autoSubmitted(mail);
  if (submitted) return carriesPeoplesWords(mail) ? null : verdict('automatic', 'auto-submitted', submitted);
  const header = autoReplyHeader(mail);
  if (header) return verdict('automatic', 'auto-reply-header', header);
  if (isDomainReport(mail)) return verdict('automatic', 'domain-report', `Subject: ${mail.subject}`);
  if (isEmptyPath(mail.returnPath) && !isAnswerByHand(mail) && !isNewByProgram(mail))
    return verdict('automatic', 'empty-return-path', 'Return-Path: <>');
  const absence = absenceSubject(mail.subject);
  const subject = `Subject: ${mail.subject}`;
  const parent = headerLine(mail.headers, 'in-reply-to');
  if (isAbsenceBeforeOurs(mail.subject, parent !== null))
    return verdict('automatic', 'absence-subject', subject, parent);
  if (!absence) return null;
  if (absence === 'beginning') return verdict('automatic', 'absence-subject', subject);
  const sign =
    headerLine(mail.headers, 'x-auto-response-suppress') ??
    headerLines(mail.headers, 'precedence').find(({ value }) => isBulkPrecedence(value)) ??
    headerLine(mail.headers, 'x-loop');
  return sign && verdict('automatic', 'absence-subject', subject, sign);
}

/** Generated, but a letter somebody wrote, or a contribution to a list: what they are is said further on. */
function carriesPeoplesWords(mail: MailTraits): boolean {
  return relayedLetter(mail) !== null || bulkVerdict(mail)?.kind === 'list';
}

/** DMARC and TLS reports tell of a domain's mail (RFC 7489 7.2.1.1, RFC 8460 3). */
function isDomainReport({ subject }: MailTraits): boolean {
  return /^\s*report domain: ?\S{3,255}\s+submitter: ?\S{3,255}\s+report-id: ?\S/i.test(subject.slice(0, 1000));
}

/** Some providers empty the return path of what they forward. */
function isAnswerByHand(mail: MailTraits): boolean {
  const isReply = mail.answersUs && SUBJECT_OF_ANSWER.test(mail.subject);
  return isReply && !absenceSubject(mail.subject) && !headerLine(mail.headers, 'x-auto-response-suppress');
}

/**
 * Some accounting programs send under an empty path what people write in them. A responder answers, and names no
 * program; what libraries send is a machine's.
 */
function isNewByProgram(mail: MailTraits): boolean {
  const { headers, subject, senderAddress } = mail;
  const program = headerLine(headers, 'x-mailer') ?? headerLine(headers, 'user-agent');
  if (!program || MAIL_LIBRARY.test(program.value)) return false;
  const isAnswer =
    ['in-reply-to', 'references'].some((name) => headerLine(headers, name)) || SUBJECT_OF_ANSWER.test(subject);
  const isSuppressed = headerLine(headers, 'x-auto-response-suppress') !== null;
  const isFromNobody = senderAddress === null || isNoReply(senderAddress) || isMailSystem(senderAddress);
  return !isAnswer && !isSuppressed && !isFromNobody && !absenceSubject(subject) && !isAbsenceBeforeOurs(subject, true);
}

function noticeVerdict(mail: MailTraits): MailVerdict | null {
  const signs = machineNotice(mail);
  return signs.length > 0 ? verdict('automatic', 'machine-notice', ...signs) : null;
}

function bulkVerdict(mail: MailTraits): MailVerdict | null {
  const { score, signals } = bulkSignals(mail);
  if (score < BULK_SCORE) return null;
  const has = (...codes: string[]) => signals.some((signal) => codes.includes(signal.code));
  const reason = signals[0]!.code;
  const evidence = signals.map((signal) => signal.evidence);
  // A list takes contributions (List-Post, or an answer to it); a newsletter only speaks.
  const isPosted = has('list-post', 'list-program') && !has('campaign-mailer', 'feedback-id');
  if (isPosted || (has('list-id') && has('precedence-list') && isAnsweredByToken(mail)))
    return verdict('list', reason, ...evidence);
  // Providers leave their marks in single letters too: without any way out it is no newsletter.
  const isForMany = has('list-id', 'list-unsubscribe', 'list-other', 'one-click', 'unsubscribe-words');
  return isForMany || signals.some(({ code }) => code.startsWith('precedence-'))
    ? verdict('newsletter', reason, ...evidence)
    : null;
}

/** Forums and code platforms take an answer by an address made for it: `reply+TOKEN@`. */
function isAnsweredByToken({ headers }: MailTraits): boolean {
  return /^[^@+]+\+[^@]+@/.test(normaliseAddress(headerLine(headers, 'reply-to')?.value ?? '') ?? '');
}

/** RFC 3834 section 5: every value but `no` comes from a machine. */
function autoSubmitted({ headers }: MailTraits): HeaderLine | undefined {
  return headerLines(headers, 'auto-submitted').find(({ value }) => !['', 'no'].includes(keyword(value)));
}

function autoReplyHeader({ headers }: MailTraits): HeaderLine | undefined {
  const names = ['x-autoreply', 'x-autorespond', 'x-auto-reply-from', 'x-autoreply-from'];
  const lines = names.flatMap((name) => headerLines(headers, name));
  const said = lines.find(({ value }) => !['', 'no', 'false', '0'].includes(keyword(value)));
  return said ?? headerLines(headers, 'precedence').find(({ value }) => /^auto[_-]?reply/i.test(value));
}

function isOwn({ ownAddresses }: MailTraits, address: string): boolean {
  const bare = withoutTag(address);
  return bare !== null && ownAddresses.some((own) => withoutTag(own) === bare);
}

/** `reply@acme.test` of `reply+TOKEN@acme.test`. */
function withoutTag(address: string): string | null {
  return normaliseAddress(address)?.replace(/\+[^@]*@/, '@') ?? null;
}
