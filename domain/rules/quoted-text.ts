// Divides a reply into what is new, what is quoted and the signature, line by line, so that nothing
// is lost. Written by hand: the package email-reply-parser imports Node's `module` (refused in a workflow, broken in
// a browser), spends a minute on five hostile kilobytes and rewrites the text. The tests compare with it.
import { foldText } from './folded-text.ts';
import { attributionAt, headerBlockAt, isDivider, isMarked } from './quote-header.ts';
import { signatureIn } from './signature-line.ts';

const PARSED_CHARACTERS = 200_000;

/**
 * @param text the plain text of a mail
 * @param isNew it answers no other mail: its own lines may begin with `>`, and only what is announced is quoted
 * @returns every line of it that is not blank in exactly one of three, in order. When nothing would be new, all of it
 *   is. Only the first 200,000 characters are parsed; what follows them counts as quoted.
 */
export function splitReply(text: string, isNew = false): { newText: string; quotedText: string; signature: string } {
  const cut = parsedLength(text);
  const head = text.slice(0, cut);
  const tail = text.slice(cut);
  const lines = head.split(/\r\n|\r|\n/);
  const parts = partsOf(lines, isNew);
  const newText = join(lines, (line) => parts[line] === 'new');
  if (newText === '') return { newText: head, quotedText: tail, signature: '' };
  const quoted = join(lines, (line) => parts[line] === 'quoted');
  return {
    newText,
    quotedText: quoted !== '' && tail !== '' ? `${quoted}\n${tail}` : quoted + tail,
    signature: join(lines, (line) => parts[line] === 'signature'),
  };
}

type Part = 'new' | 'quoted' | 'signature';

function partsOf(lines: string[], isNew: boolean): Part[] {
  const parts = lines.map((): Part => 'new');
  markQuotations(lines, parts, isNew);
  let from = 0;
  while (from < lines.length) {
    let to = from;
    while (to < lines.length && parts[to] === parts[from]) to++;
    const signature = parts[from] === 'new' ? signatureIn(lines.slice(from, to)) : null;
    if (signature) parts.fill('signature', from + signature.from, from + signature.to);
    from = to;
  }
  return parts;
}

function markQuotations(lines: string[], parts: Part[], isNew: boolean): void {
  let at = 0;
  let announced = -1;
  while (at < lines.length) {
    if (isMarked(lines[at]!)) {
      const end = afterMarked(lines, at);
      if (!isNew || at === announced || announcesItself(lines.slice(at, end))) parts.fill('quoted', at, end);
      at = end;
      continue;
    }
    const attribution = attributionAt(lines, at);
    const quoted = attribution ? nextFilled(lines, at + attribution.lines) : at;
    if (attribution && quoted < lines.length && isMarked(lines[quoted]!)) {
      parts.fill('quoted', at, quoted);
      at = quoted;
      announced = quoted;
    } else if (attribution?.certain || isDivider(lines[at]!) || headerBlockAt(lines, at)) {
      // The quoted lines carry no mark: all that follows is the older mail, unless the answers stand in it.
      if (!ANSWERS_WITHIN.test(foldText(lines.slice(0, at).join('\n'), { exact: false, lines: false }).text))
        parts.fill('quoted', at);
      return;
    } else at++;
  }
}

/** Apple and Orange mark the line that introduces a quotation as well; marks within marks nobody types. */
function announcesItself(marked: string[]): boolean {
  const inner = marked.map((line) => line.replace(/^\s*> ?/, ''));
  const introduces = (_: string, at: number) =>
    attributionAt(inner, at) !== null || isDivider(inner[at]!) || headerBlockAt(inner, at);
  return inner.slice(0, ANNOUNCED_WITHIN_LINES).some(introduces) || inner.some(isMarked);
}

const ANNOUNCED_WITHIN_LINES = 5;
const ANSWERS_WITHIN =
  /\b((mes|nos|ma|notre) (reponses?|commentaires?|remarques?|annotations?)|(repon(se|ses|du|ds)|commente)|(my |our )?(answers?|comments?|replies|responses?|remarks)|(answered|commented|replied)|(meine |unsere )?(antworten?|anmerkungen|kommentare)|(mis |nuestras )?(respuestas|comentarios)|(respondo|contesto)) (est |sont |are |is |stehen |directement |directly |weiter |mas )?(ci-dessous|ci-apres|plus bas|dans (le|ton|votre) (texte|corps|mail|message)|en (rouge|bleu|vert|gras|couleur)|below|in-?line|in (red|blue|green|bold|the text|your (text|mail|message))|unten|im text|in (rot|blau|grun)|abajo|en (rojo|azul|verde|el texto))/;

/** Blank lines between marked lines belong to the quotation. */
function afterMarked(lines: string[], at: number): number {
  let end = at + 1;
  for (let next = end; next < lines.length; next = nextFilled(lines, next)) {
    if (!isMarked(lines[next]!) && lines[next]!.trim() !== '') break;
    if (isMarked(lines[next]!)) end = ++next;
  }
  return end;
}

function nextFilled(lines: string[], from: number): number {
  let at = from;
  while (at < lines.length && lines[at]!.trim() === '') at++;
  return at;
}

/** Lines without the blank ones at both ends. */
function join(lines: string[], belongs: (line: number) => boolean): string {
  const kept = lines.filter((_, line) => belongs(line));
  const first = nextFilled(kept, 0);
  let end = kept.length;
  while (end > first && kept[end - 1]!.trim() === '') end--;
  return kept.slice(first, end).join('\n');
}

/** Cuts between lines where it can, and never inside a surrogate pair. */
function parsedLength(text: string): number {
  if (text.length <= PARSED_CHARACTERS) return text.length;
  const line = text.lastIndexOf('\n', PARSED_CHARACTERS - 1);
  if (line > 0) return line + 1;
  return /[\ud800-\udbff]/.test(text[PARSED_CHARACTERS - 1]!) ? PARSED_CHARACTERS - 1 : PARSED_CHARACTERS;
}
