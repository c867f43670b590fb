// Text whose charset is not said, or said by the programs that say it wrongly, tells it itself: what is valid UTF-8 is
// UTF-8, because other text practically never is by accident; everything else is read as Windows-1252, which holds all
// of Latin-1 and the quotes, dashes and euro signs that are sent under its name (as browsers do: encoding.spec.whatwg.org).
import { Transform, type TransformCallback } from 'node:stream';

const GUESSED =
  /^(|(us-?)?ascii|utf-?8|iso-?8859-?1|latin-?1|windows-?1252|cp-?1252|unknown(-8bit)?|x-unknown|8bit|7bit|binary|none|default)$/i;
/** How the names of charsets begin that the parser may know; any other is as good as none. */
const CHARSET_FAMILIES =
  /^(cs|utf|ucs|iso|latin|l\d|win|cp|ibm|\d|mac|x-mac|koi|gb|hz|big5|euc|x-euc|s(hift)?_?jis|jis|ks|tis|viscii|tcvn|armscii|georgian|rk1048|maccenteuro)/i;

/** Not one character of theirs for one or two bytes: what they say cannot be tested. */
const OF_ESCAPES = /^(utf-?(7|16|32)|ucs|unicode|iso-?2022|hz|cs(utf|unicode|iso-?2022))/i;
const OF_TWO_BYTES = /^(gb|big5|euc|x-euc|s(hift)?_?jis|jis|ks|cp9\d\d|cs(gb|big5|euc|shift|ks))/i;

const GUESS = 'guess';
const OR_DECLARED = 'guess-or:';

/** @param charset as declared; empty when it was not */
export function guessable(charset: string): string {
  const name = charset.trim();
  if (GUESSED.test(name) || !CHARSET_FAMILIES.test(name)) return GUESS;
  return OF_ESCAPES.test(name) ? name : `${OR_DECLARED}${name}`;
}

/** @param guessed what `guessable` gave */
export function guessing(guessed: string, known: (charset: string) => NodeJS.ReadWriteStream): NodeJS.ReadWriteStream {
  if (guessed === GUESS) return new CharsetGuess();
  if (!guessed.startsWith(OR_DECLARED)) return known(guessed);
  const declared = guessed.slice(OR_DECLARED.length);
  return new CharsetGuess(OF_TWO_BYTES.test(declared) ? FEWEST_OF_TWO : 1, () => known(declared));
}

/** Two Chinese characters may look like UTF-8 by accident; a sentence does not. */
const FEWEST_OF_TWO = 8;

function isUtf8(bytes: Uint8Array, fewest: number): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return (text.match(/[\u0080-\u{10FFFF}]/gu)?.length ?? 0) >= fewest;
  } catch {
    return false;
  }
}

export function guessText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder(isCutUtf8(bytes) ? 'utf-8' : 'windows-1252').decode(bytes);
  }
}

// UTF-8 with little damage (a character cut in two by a size limit) is still UTF-8.
function isCutUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder('utf-8').decode(bytes);
  const damaged = text.match(/\uFFFD/g)?.length ?? 0;
  const whole = text.match(/[\u0080-\u{10FFFF}]/gu)?.length ?? 0;
  return whole - damaged > 4 * damaged;
}

/** Collects a text and gives it out as UTF-8. */
class CharsetGuess extends Transform {
  readonly #chunks: Buffer[] = [];

  readonly #fewest: number;
  readonly #declared: (() => NodeJS.ReadWriteStream) | undefined;

  /** @param declared reads what is not UTF-8 with `fewest` characters beyond ASCII */
  constructor(fewest = 0, declared?: () => NodeJS.ReadWriteStream) {
    super();
    this.#fewest = fewest;
    this.#declared = declared;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#chunks.push(chunk);
    done();
  }

  override _flush(done: TransformCallback): void {
    const bytes = Buffer.concat(this.#chunks);
    if (!this.#declared || isUtf8(bytes, this.#fewest)) {
      this.push(Buffer.from(guessText(bytes), 'utf8'));
      done();
      return;
    }
    const reader = this.#declared();
    reader.on('data', (chunk: string | Buffer) => this.push(Buffer.from(chunk as string)));
    reader.on('end', () => done());
    reader.on('error', done);
    reader.end(bytes);
  }
}
