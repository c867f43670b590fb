// The words of an HTML mail: rules, model, search and preview read text. Bounded, because a stranger wrote it.
import { compile } from 'html-to-text';

/** Beyond this the rest of a mail's HTML is not read as text. */
const LONGEST_READ = 1_000_000;
const DEEPEST = 1_000;

const convert = compile({
  wordwrap: false,
  limits: { maxInputLength: LONGEST_READ },
  selectors: [
    { selector: 'img', format: 'skip' },
    { selector: 'title', format: 'skip' },
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, noAnchorUrl: true } },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

export function textOfHtml(html: string): string {
  const read = html.slice(0, LONGEST_READ);
  if (isTooDeep(read)) return withoutTags(read);
  try {
    return convert(read);
  } catch {
    return withoutTags(read);
  }
}

// Elements without content, and those a sibling closes: an unclosed row of them does not nest.
const FLAT =
  /^(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|dt|dd|option|t[rdh]|t(?:head|body|foot))$/;

/** Whether elements nest deeper than any letter; parsers need quadratic time for those, or run out of stack. */
export function isTooDeep(html: string): boolean {
  let depth = 0;
  for (const [, closing, name] of html.matchAll(/<(\/?)([a-z][a-z0-9:-]{0,30})/gi)) {
    if (FLAT.test(name!.toLowerCase())) continue;
    depth = closing ? Math.max(0, depth - 1) : depth + 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}

function withoutTags(html: string): string {
  return html
    .replace(/<[^<>]*>/g, ' ')
    .replace(/[^\S\n]+/g, ' ')
    .trim();
}
