// Where the signature of a reply begins, for quoted-text.ts. Folding away too much costs a client's question, too
// little shows an agent three lines more: so everything after a sign-off must look like a signature.
import { foldText } from './folded-text.ts';

const LINE_CHARACTERS = 120;
const AFTER_DELIMITER = 15;
const AFTER_SIGN_OFF = 10;
const AFTER_DEVICE = 6;

/**
 * @param lines a stretch of the author's own lines, without quotations
 * @returns the signature's lines `from` up to, not including, `to`; null when there is none
 */
export function signatureIn(lines: string[]): { from: number; to: number } | null {
  const delimiter = delimiterIn(lines);
  const to = endOfSignature(lines, delimiter);
  const hasDelimiter = delimiter >= 0 && filled(lines, delimiter + 1, to) <= AFTER_DELIMITER;
  const end = hasDelimiter ? delimiter : to;
  for (let from = Math.max(0, lastFilled(lines, end) - AFTER_SIGN_OFF * 3); from < end; from++) {
    if (!beginsSignature(lines, from, end)) continue;
    const prose = lines.findIndex((line, at) => at > from && at < end && isProse(line) && !isDevice(line));
    // What is written below the name is the author's text again.
    if (prose < 0 || !hasDelimiter) return { from, to: prose < 0 ? to : prose };
  }
  return hasDelimiter ? { from: delimiter, to } : null;
}

/** `-- ` (RFC 3676 4.3). Without its blank people draw lines with it as well: two of them, or a question below. */
function delimiterIn(lines: string[]): number {
  const at = lines.findIndex((line) => /^--\s?$/.test(line));
  const isDrawn = lines[at] === '--' && lines.slice(at + 1).some((line) => line === '--' || /\?\s*$/.test(line));
  return isDrawn ? -1 : at;
}

const SIGN_OFF =
  /^((bien |tres |meilleures |sinceres |avec mes )?(cordialement|salutations|sincerement|respectueusement|amicalement)|(bien )?cd?l?ts?|bav|slts|cordialement votre|salutations (distinguees|cordiales)|bien (a vous|a toi)|(bonne|belle|excellente) (journee|soiree|fin de journee|semaine|reception)( a vous)?|(best|kind|kindest|warm|with kind|with best)? ?(regards|wishes)|best|cheers|sincerely|yours (truly|sincerely|faithfully)|(mit )?(freundliche[nmr]?|viele[nr]?|liebe[nr]?|beste[nmr]?|schone[nr]?|herzliche[nmr]?|sonnige) gruss(en?)?( (aus|von|nach) (\S+ ){0,3}\S+)?|hochachtungsvoll|gruss|mfg|[lv]g( \p{L}{2,20})?|((muchas )?gracias y )?((reciba[ns]? )?un (cordial |afectuoso )?|muchos |cordiales )?saludos?( cordial(es)?)?|un (fuerte )?abrazo|atentamente|atte|atenciosamente|(cordiali|distinti) saluti|met vriendelijke groet(en)?)( et merci| and thanks)? ?[,.!]*$/u;
const COURTESY = /^(je vous prie d'agreer|nous vous prions d'agreer|veuillez (agreer|recevoir)|recevez, )/;
const DEVICE =
  /^(sent (from|with|via) |get outlook for |envoye (de|depuis|a partir de|avec|via) |telecharger outlook |obtenir outlook |obtener outlook |descargar outlook |holen sie sich outlook |outlook (fur|for) \w+ beziehen|diese nachricht wurde von mein\w+ .*gesendet|gesendet (von|mit) |von mein\w+ .* gesendet|enviado (desde|do|con) |inviato da |verzonden (vanaf|met) |verstuurd vanaf |sendt fra |skickat fran |provenance ?: courrier |yahoo mail ?: )/;
const POSTSCRIPT = /^\s*(p\.? ?s\.?|n\.? ?b\.?|post-scriptum)\s?[:.,-]/i;

function beginsSignature(lines: string[], at: number, end: number): boolean {
  const line = lines[at]!.trim();
  if (line === '' || line.length > LINE_CHARACTERS * 2) return false;
  const words = foldText(line, { exact: false, lines: false }).text;
  const after = filled(lines, at + 1, end);
  if (DEVICE.test(words)) return after <= AFTER_DEVICE && line.length <= LINE_CHARACTERS && !isOwnSentence(line);
  if (!SIGN_OFF.test(words.replace(SMILEYS, '')) && !COURTESY.test(words)) return false;
  const rest = lines.slice(at + 1, end);
  return after <= AFTER_SIGN_OFF && rest.every((one) => one.length <= LINE_CHARACTERS && !/\?\s*$/.test(one));
}

/** A whole sentence that somebody thought of, and not what companies put below every mail. */
function isProse(line: string): boolean {
  const bare = line.trim();
  if (bare.split(/\s+/).length < PROSE_WORDS) return false;
  const words = foldText(bare.slice(0, 500), { exact: false, lines: false }).text;
  return (/[.!?…]["»”)]?$/.test(bare) || SPEAKS.test(words)) && !FOOTER.test(words);
}

/** Somebody speaks to somebody, though without a full stop. */
const SPEAKS =
  /\b(je|j'\w+|moi|mon|ma|mes|vous|votre|vos|svp|i|i'm|i'd|i'll|my|me|you|your|please|ich|mir|mein\w*|ihnen|bitte|yo|mi|mis|usted|por favor)\b/;
/** "Sent from my desk, which is easier than a phone." */
function isOwnSentence(line: string): boolean {
  return isProse(line) && /,\s+\S+\s+\S+\s+\S/.test(line);
}

function isDevice(line: string): boolean {
  return DEVICE.test(foldText(line.trim().slice(0, LINE_CHARACTERS), { exact: false, lines: false }).text);
}

const SMILEYS = /(\p{Extended_Pictographic}|\ufe0f| )+$/u;
const PROSE_WORDS = 6;
const FOOTER =
  /confiden|vertraulich|destinat|recipient|empfanger|disclaimer|privileged|imprim|print|druck|environ|umwelt|ambiente|virus|rgpd|dsgvo|gdpr|donnees personnelles|desabonner|desinscri|unsubscribe|abmelden|newsletter|registered|siret|\brcs\b|capital|amtsgericht|geschaftsfuhrer|all rights|brevity|typos|fautes|tippfehler|ce message|this (e-?mail|message)|diese (e-?mail|nachricht)|este (correo|mensaje)|messag(erie|ing)|www\.|https?:/;

/** A postscript below the signature is the author's text again. */
function endOfSignature(lines: string[], delimiter: number): number {
  const at = lines.findIndex((line, index) => index > 0 && index > delimiter && POSTSCRIPT.test(line));
  return at < 0 ? lines.length : at;
}

function filled(lines: string[], from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (lines[at]!.trim() !== '') count++;
  return count;
}

function lastFilled(lines: string[], end: number): number {
  let at = end - 1;
  while (at > 0 && lines[at]!.trim() === '') at--;
  return at;
}
