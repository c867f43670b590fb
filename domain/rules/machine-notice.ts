// Notices of shops, carriers and banks that do not say Auto-Submitted. Nothing of what is weighed here proves a machine
// by itself: people write from addresses called no-reply, Exchange suppresses answers to what they write.
import { isNoReply } from './email-address.ts';
import { foldText } from './folded-text.ts';
import { type HeaderLine, headerLine, headerLines, isBulkPrecedence, type MailTraits } from './mail-traits.ts';
import { splitReply } from './quoted-text.ts';
import { namesWriter } from './relayed-letter.ts';

/** A mail with this weight is a notice: two signs that people hardly ever give, or one of them and two of providers. */
const NOTICE_WEIGHT = 4;
const READ_CHARACTERS = 20_000;

/** What no person writes of her own mail. */
const NOT_TO_BE_ANSWERED =
  /(vous (avez recu|recevez) (cet e-?mail|ce message)|you('re| are)? receiv(ed|ing) this (e-?mail|message)|sie erhalten diese (e-?mail|nachricht)|(recibes|has recibido) este (correo|mensaje)) (pour|car|parce|because|to (let|inform)|weil|da|porque|para)|(e-?mail|message|courriel|courrier|mail)[^.!\n]{0,60}(envoye|genere|adresse|transmis) (automatiquement|de maniere automatique)|ceci est un (message|e-?mail|courriel) automatique|ne (pas (y )?repondre|repondez pas)( directement)? a (ce|cet) (e-?mail|message|courriel)|(merci de|priere de|veuillez) ne pas (y )?repondre ?([.!)]|$)|ne repondez pas a cet|this is an automat(ed|ic) (e-?mail|message|notification)|(please )?do not reply( directly)? to this|(message|e-?mail) (was|is) (automatically generated|sent automatically)|automatically generated (e-?mail|message)|please do not (reply|respond)|(bitte )?(antworten sie )?nicht auf diese (e-?mail|nachricht|mail)|automatisch (erzeugt|erstellt|generiert|versandt|versendet)|(no responda|por favor,? no responda|no conteste) a este|mensaje (generado|enviado) automaticamente|(mensaje|correo) automatico|if you (did not|didn't) (request|ask for) (this|it|a |an )|si vous n'(etes pas a l'origine|avez pas (demande|effectue)) [^.\n]{0,40}(demande|code|operation)|wenn sie (diese[ns]?|keinen) [^.\n]{0,30} nicht angefordert|si (usted )?no (ha )?solicit(ado|o|aste) (este|esta)/;

/** What shops, banks and accounts write about; their clients do too, so it weighs little. */
const NOTICE_SUBJECT =
  /^(your|votre|ihre?|su|tu) (receipt|recu|facture|invoice|rechnung|quittung|recibo|factura|payment|paiement|zahlung|pago)\b|\b(code de (verification|securite|connexion)|(security|verification|single-use|sign-?in|login|one-time) code|alerte de securite|security alert|new (sign-?in|login|device)|nouvelle connexion|sicherheits(code|warnung|hinweis)|bestatigungscode|codigo de (seguridad|verificacion)|alerta de seguridad)\b/;
const NOTICE_SENDER = /^(receipts?|notifications?|notify|alerts?|confirmations?|automated|mailer|robot)([._+-]|\d|@)/;

/** @returns its signs, heaviest first; none when they weigh too little */
export function machineNotice(mail: MailTraits): (HeaderLine | string)[] {
  // A forward or a reply may quote a notice in a way that is not recognised as a quotation.
  if (/^\s*(re|fwd?|tr|aw|wg|rv|r|sv) ?:/i.test(mail.subject) || namesWriter(mail)) return [];
  const signs = signsOf(mail);
  const weight = signs.reduce((sum, sign) => sum + sign.weight, 0);
  return weight < NOTICE_WEIGHT ? [] : signs.map(({ evidence }) => evidence);
}

function signsOf(mail: MailTraits): { weight: number; evidence: HeaderLine | string }[] {
  const { headers, senderAddress } = mail;
  const signs: { weight: number; evidence: HeaderLine | string }[] = [];
  const add = (weight: number, evidence: HeaderLine | string | null | undefined) => {
    if (evidence) signs.push({ weight, evidence });
  };
  const isFromNobody = senderAddress !== null && isNoReply(senderAddress);
  add(2, isFromNobody ? `From: ${senderAddress}` : null);
  const words = foldText(splitReply(mail.text.slice(0, READ_CHARACTERS)).newText, { exact: false, lines: false }).text;
  add(2, NOT_TO_BE_ANSWERED.exec(words)?.[0]);
  const suppressed = headerLines(headers, 'x-auto-response-suppress');
  add(
    2,
    suppressed.find(({ value }) => value.toLowerCase() === 'all'),
  );
  const replyTo = headerLine(headers, 'reply-to');
  add(isFromNobody ? 1 : 2, replyTo && isNoReply(replyTo.value) ? replyTo : null);
  add(1, headerLine(headers, 'feedback-id') ?? providerLine(headers));
  const subject = foldText(mail.subject.slice(0, 300), { exact: false, lines: false }).text;
  add(1, NOTICE_SUBJECT.test(subject) ? `Subject: ${mail.subject}` : null);
  add(1, senderAddress && NOTICE_SENDER.test(senderAddress) ? `From: ${senderAddress}` : null);
  add(
    1,
    headerLines(headers, 'precedence').find(({ value }) => isBulkPrecedence(value)),
  );
  return signs.sort((one, other) => other.weight - one.weight);
}

// What providers of mass mail leave in a mail, one way or another.
function providerLine(headers: MailTraits['headers']): HeaderLine | null {
  const names = [
    'x-sg-eid',
    'x-mailgun-sid',
    'x-ses-outgoing',
    'x-mandrill-user',
    'x-mj-mid',
    'x-msfbl',
    'x-pm-message-id',
  ];
  return names.map((name) => headerLine(headers, name)).find((line) => line !== null) ?? null;
}
