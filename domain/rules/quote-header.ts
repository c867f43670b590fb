// The lines with which mail programs introduce what they quote, in the languages met, for quoted-text.ts. A line is
// tested by how it begins and how it ends, never by one expression across it: long hostile lines would take minutes.
import { foldText } from './folded-text.ts';

const HEADER_CHARACTERS = 400;
const DIVIDER_CHARACTERS = 100;
const ATTRIBUTION_LINES = 4;
const BLOCK_LINES = 8;
/** Between a rule and the block below it. */
const BLANK_LINES = 2;

type Attribution = {
  /** How many lines it takes; programs wrap it. */
  lines: number;
  /** With an address, or a date and a time, it introduces a quotation even where the quoted lines are not marked. */
  certain: boolean;
};

/** "On Tue, 3 May 2016 at 10:12, Camille <camille@client.com> wrote:" at line `at`, or null. */
export function attributionAt(lines: string[], at: number): Attribution | null {
  let joined = '';
  for (let count = 1; count <= ATTRIBUTION_LINES; count++) {
    const line = (lines[at + count - 1] ?? '').trim();
    // The bracket of a wrapped address stands at the beginning of the next line, like a mark.
    const isBracket = count > 1 && /^>\s*:$/.test(line);
    if (line === '' || line.length + joined.length > HEADER_CHARACTERS || (isMarked(line) && !isBracket)) return null;
    joined = count === 1 ? bareLine(line) : `${joined}${/<$/.test(joined) || isBracket ? '' : ' '}${line}`;
    if (isAttribution(joined)) return { lines: count, certain: isCertain(joined) };
    if (isOfName(joined, lines[at]!)) return { lines: count, certain: false };
    // A finished sentence is no half of an attribution; `Am Fr., 28.` is.
    if (/[.!?;]$/.test(line) && !/\d\.$/.test(line)) return null;
  }
  return null;
}

/** "----- Message d'origine -----", "Begin forwarded message:", "##- Please type your reply above this line -##". */
export function isDivider(line: string): boolean {
  const bare = line.replace(/^[\s*]+|[\s*]+$/g, '');
  if (bare === '' || bare.length > DIVIDER_CHARACTERS) return false;
  const words = foldText(bare, { exact: false, lines: false }).text;
  return (/^--/.test(words) && DIVIDER.test(words)) || /^##- .{5,} -##$/.test(words) || FORWARD_OPENING.test(words);
}

/** Outlook's block (De, Envoyé, À, Objet), with or without a rule of underscores above it; GMX and T-Online begin with another line. */
export function headerBlockAt(lines: string[], at: number): boolean {
  let first = at;
  if (isRule(lines[at] ?? '')) for (first += 1; first <= at + BLANK_LINES && lines[first]?.trim() === ''; ) first += 1;
  const opening = lines[first] ?? '';
  const openingField = fieldOf(opening);
  if (openingField === null || openingField === 'to') return false;
  const seen = new Set<Field>();
  if (openingField !== 'from') seen.add(openingField);
  let hasSender = openingField === 'from';
  let hasAddress = opening.includes('@');
  for (const line of lines.slice(first + 1, first + BLOCK_LINES)) {
    const field = fieldOf(line);
    if (field === 'from') hasSender = true;
    else if (field) seen.add(field);
    hasAddress ||= field !== null && line.slice(0, HEADER_CHARACTERS).includes('@');
    if (line.trim() === '' && seen.size > 0) break;
  }
  // "De : Paris / À : Lyon / Date : 12 mai" is a client who wants a lorry: without an address, date and subject both.
  if (openingField !== 'from') return hasSender && hasAddress && seen.size >= 2;
  return (seen.has('date') && seen.has('subject')) || (hasAddress && seen.size >= 2);
}

/** Marked with `>` (RFC 3676 4.5). */
export function isMarked(line: string): boolean {
  return /^\s{0,3}>/.test(line);
}

type Field = 'from' | 'date' | 'to' | 'subject';

const DIVIDER =
  /^-+ ?(original message|message d'origine|message original|ursprungliche nachricht|original-nachricht|mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht|oprindelig (besked|meddelelse)|opprinnelig melding|ursprungligt meddelande|forwarded (message|by .*)|(message|mail) (transfere|reexpedie)|(courriel|mail) (original|d'origine)|weitergeleitete nachricht|mensaje reenviado|messaggio inoltrato) ?-+$/;
const FORWARD_OPENING =
  /^(begin forwarded message|debut du message (reexpedie|transfere)|anfang der weitergeleiteten nachricht|inicio del mensaje reenviado) ?:$/;

/** Begins like, ends like. Without accents, in lower case. */
const ATTRIBUTIONS: [begins: RegExp, ends: RegExp][] = [
  [/^on /, /[ >]wrote ?:$/],
  [/^at /, / wrote ?:$/],
  [/^le /, /[ >](a )?ecrit ?:$/],
  [/^el /, / escribio ?:$/],
  [/^en /, / escribio ?:$/],
  [/^am /, / schrieb\b.*:$/],
  [/^am /, / geschrieben ?:$/],
  [/^.{3,} hat am /, / geschrieben ?:$/],
  [/^.{3,} schrieb am /, /:$/],
  [/^il /, / scritto ?:$/],
  [/^em /, / escreveu ?:$/],
  [/^op /, / schreef\b.*:$/],
  [/^op /, / geschreven ?:$/],
  [/^(den|pa|[a-z]{3,4}\.?) /, / skrev\b.*:$/],
  [/^(w dniu|dnia) /, / (pisze|napisal(\(a\)|a)?) ?:$/],
  [/^(\d|понедельник|вторник|сред|четверг|пятниц|суббот|воскресень|(пн|вт|ср|чт|пт|сб|вс),)/, / написал\(?а?\)? ?:$/],
  [/^在/, /写道 ?[:：]$/],
];

const FIELDS: [RegExp, Field][] = [
  [/^(de|from|von|van|da|fra|fran)$/, 'from'],
  [/^(envoye|sent|date|gesendet|datum|enviad[oa]|fecha|inviato|data|verzonden|skickat|sendt)( el| le| am)?$/, 'date'],
  [/^(a|to|an|para|pour|aan|till|til|cc|kopie|copia)$/, 'to'],
  [/^(objet|sujet|subject|betreff|asunto|oggetto|assunto|onderwerp|amne|emne)$/, 'subject'],
];

function isAttribution(joined: string): boolean {
  if (!/[:：-]$/.test(joined) || !/[\d@]/.test(joined)) return false;
  // Zoho writes `---- On … wrote ----`.
  const bare = joined.replace(/[-\s]+$/, '');
  const words = foldText(/[:：]$/.test(bare) ? bare : `${bare}:`, { exact: false, lines: false }).text;
  if (ATTRIBUTIONS.some(([begins, ends]) => begins.test(words) && ends.test(words))) return true;
  // Any language: a date, an address in brackets, a colon at the end.
  return words.endsWith(':') && /^\S*\d/.test(words) && BRACKETED.test(words) && /\d{4}/.test(words);
}

const BRACKETED = /<[^<>\s]+@[^<>\s]+>/;

/**
 * `Maya <maya@acme.test> wrote:`, and the same with date and time in a language that is not known: nothing but marked
 * lines below it shows that it introduces them. The first line must belong to it: what stands above it is the author's.
 */
function isOfName(joined: string, first: string): boolean {
  if (joined === bareLine(first) && (OLD_GMAIL.test(joined) || OLD_ANDROID.test(first.trim()))) return true;
  if (!/:$/.test(joined) || !BRACKETED.test(joined)) return false;
  if (joined === bareLine(first) && NAME_WROTE.test(foldText(joined, { exact: false, lines: false }).text)) return true;
  return /\b\d{4}\b/.test(first) && /\b\d\d?[:.]\d\d\b/.test(joined);
}

function bareLine(line: string): string {
  return line.trim().replace(/^[-\s]+/, '');
}

const OLD_GMAIL = /^\d{4}\/\d\d?\/\d\d? [^<>]{0,100}<[^<>\s]+@[^<>\s]+>$/;
const OLD_ANDROID = /^-{2,} ?.{1,80} (wrote|a écrit|schrieb|escribió|ha scritto) ?-{2,}$/;
const NAME_WROTE = /> (wrote|(a )?ecrit|schrieb|escribio|ha scritto|escreveu|schreef|skrev) ?:$/;

function isCertain(joined: string): boolean {
  return /\S@\S/.test(joined) || (/\b20\d\d\b/.test(joined) && /\d\d?[:h]\d\d/.test(joined));
}

function isRule(line: string): boolean {
  const bare = line.trim().slice(0, DIVIDER_CHARACTERS);
  // Orange writes the date above its block.
  return /^(_{5,}|-{5,}|={5,}|message du \d\d\/\d\d\/\d\d \d\d:\d\d)$/i.test(bare);
}

function fieldOf(line: string): Field | null {
  const name = /^[\s*_]*([\p{L} ]{1,20}?)\s{0,2}[*_]*\s{0,2}:/u.exec(line.slice(0, DIVIDER_CHARACTERS))?.[1];
  if (!name) return null;
  const word = foldText(name, { exact: false, lines: false }).text;
  return FIELDS.find(([names]) => names.test(word))?.[1] ?? null;
}
