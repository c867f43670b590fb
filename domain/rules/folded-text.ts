// Text as the rules compare it: people type "rendez vous", mails carry non-breaking hyphens, curly apostrophes and
// accents in one or two code points. Folding evens that out and remembers where each character came from, so that a
// hit can be shown in the words of the message.

export type Folding = {
  /** Case and accents count; typography and white space are evened out all the same. */
  exact: boolean;
  /** Line breaks stay (for regular expressions); otherwise they are white space like any other. */
  lines: boolean;
};

export type FoldedText = { original: string; text: string; starts: number[] };

const EVIDENCE_CHARACTERS = 80;

// One base character with its marks. UAX #15 (stream-safe text) allows 30: normalising longer runs is quadratic.
const CLUSTER = /\P{M}\p{M}{0,30}|\p{M}/suy;
const MARKS = /\p{M}/gu;
const WORD_CHARACTER = /[\p{L}\p{N}\p{M}]/u;

/** Letters that Unicode does not decompose, but that people type without. Lower case only. */
const LETTERS: Record<string, string> = { œ: 'oe', æ: 'ae', ß: 'ss', ø: 'o', ł: 'l' };

const TYPOGRAPHY: [characters: string, plain: string][] = [
  ['\u2018\u2019\u02bc\u2032\u00b4', "'"],
  ['\u201c\u201d\u201e\u00ab\u00bb', '"'],
  ['\u2010\u2011\u2012\u2013\u2014\u2212', '-'],
  ['\u00ad\u200b\u200c\u200d\u2060\ufeff', ''],
];
const PLAIN = new Map(TYPOGRAPHY.flatMap(([characters, plain]) => [...characters].map((c) => [c, plain] as const)));

/** @returns the text to compare with, and for each of its UTF-16 units where its origin begins in `original`. */
export function foldText(original: string, how: Folding): FoldedText {
  const out: string[] = [];
  const starts: number[] = [];
  for (let at = 0; at < original.length; ) {
    const end = clusterEnd(original, at);
    const folded = foldCluster(end === at + 1 ? original[at]! : original.slice(at, end), how.exact);
    if (folded !== '' && folded.trim() === '') {
      // White space before the first word is dropped, a run of it is one blank (or one line break).
      const breaks = how.lines && (folded === '\n' || folded === '\r');
      const inRun = isSpace(out.at(-1) ?? ' ');
      if (inRun && breaks && out.length > 0) out[out.length - 1] = '\n';
      if (!inRun) {
        out.push(breaks ? '\n' : ' ');
        starts.push(at);
      }
    } else {
      for (let unit = 0; unit < folded.length; unit++) {
        out.push(folded[unit]!);
        starts.push(at);
      }
    }
    at = end;
  }
  if (isSpace(out.at(-1) ?? '')) out.pop();
  return { original, text: out.join(''), starts };
}

/** The words of the message behind `text.slice(from, to)`, whole words where they fit in 80 characters. */
export function originalWords(folded: FoldedText, from: number, to: number): string {
  if (to <= from) return '';
  const { original } = folded;
  const start = folded.starts[from]!;
  const end = clusterEnd(original, folded.starts[to - 1]!);
  let left = start;
  let right = end;
  while (left > 0 && end - left <= EVIDENCE_CHARACTERS && isWordAt(original, left - 1)) left--;
  while (right < original.length && right - left <= EVIDENCE_CHARACTERS && isWordAt(original, right)) right++;
  const words = right - left <= EVIDENCE_CHARACTERS ? original.slice(left, right) : original.slice(start, end);
  return cutWords(words);
}

/** At most 80 UTF-16 units, never half a surrogate pair. */
function cutWords(words: string): string {
  const cut = words.trim().slice(0, EVIDENCE_CHARACTERS);
  return cut.length < words.length && /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

function clusterEnd(text: string, at: number): number {
  // Most text is ASCII, and combining marks begin at U+0300: no need to ask the expression.
  if (text.charCodeAt(at) < 0x80 && !(text.charCodeAt(at + 1) >= 0x300)) return at + 1;
  CLUSTER.lastIndex = at;
  return CLUSTER.test(text) ? CLUSTER.lastIndex : at + 1;
}

function foldCluster(cluster: string, exact: boolean): string {
  const plain = PLAIN.get(cluster);
  if (plain !== undefined) return plain;
  if (cluster.length === 1 && cluster < '\u0080') return exact ? cluster : cluster.toLowerCase();
  if (exact) return cluster.normalize('NFC');
  const bare = cluster.toLowerCase().normalize('NFD').replace(MARKS, '');
  return LETTERS[bare] ?? bare;
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\n';
}

/** Surrogates count as part of a word here, so that widening never stops inside a pair. */
function isWordAt(text: string, index: number): boolean {
  const unit = text[index]!;
  return WORD_CHARACTER.test(unit) || (unit >= '\ud800' && unit <= '\udfff');
}
