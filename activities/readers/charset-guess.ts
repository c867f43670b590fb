// Text whose charset is not said, or said by the programs that say it wrongly, tells it itself: what is valid UTF-8 is
// UTF-8, because other text practically never is by accident; everything else is read as Windows-1252, which holds all
// of Latin-1 and the quotes, dashes and euro signs that are sent under its name (as browsers do: encoding.spec.whatwg.org).
import { Transform, type TransformCallback } from 'node:stream';

const GUESSED =
  /^(|(us-?)?ascii|utf-?8|iso-?8859-?1|latin-?1|windows-?1252|cp-?1252|unknown(-8bit)?|x-unknown|8bit|7bit|binary|none|default)$/i;
/** How the names of charsets begin that the parser may know; any other is as good as none. */
const CHARSET_FAMILIES =
  /^(cs|utf|ucs|iso|latin|l\d|win|cp|ibm|\d|mac|x-mac|koi|gb|hz|big5|euc|x-euc|s(hift)?_?jis|jis|ks|tis|viscii|tcvn|armscii|georgian|rk1048|maccenteuro)/i;

/** @param charset as declared; empty when it was not */
export function isGuessed(charset: string): boolean {
  const name = charset.trim();
  return GUESSED.test(name) || !CHARSET_FAMILIES.test(name);
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
export class CharsetGuess extends Transform {
  readonly #chunks: Buffer[] = [];

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#chunks.push(chunk);
    done();
  }

  override _flush(done: TransformCallback): void {
    this.push(Buffer.from(guessText(Buffer.concat(this.#chunks)), 'utf8'));
    done();
  }
}
