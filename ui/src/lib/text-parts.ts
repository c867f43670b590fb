/** A piece of plain text: words, or a link that a client or a colleague wrote into them. */
export type TextPart = { text: string; href?: string };

const LINK = /\bhttps?:\/\/[^\s<>"']+|\bwww\.[^\s<>"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
const CLOSING = /[.,;:!?)\]}»…]+$/;

/** Finds web and mail addresses; everything is shown as text, nothing as HTML. */
export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const words = found.replace(CLOSING, '');
    if (index > from) parts.push({ text: text.slice(from, index) });
    parts.push({ text: words, href: addressOf(words) });
    from = index + words.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

function addressOf(words: string): string {
  if (/^https?:/i.test(words)) return words;
  return words.includes('@') ? `mailto:${words}` : `https://${words}`;
}
