// Text of others as our tables can hold it.

/** PostgreSQL text cannot hold U+0000, and lone surrogates are no text at all. */
export function storable(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/** At most so many UTF-16 units, and never half of a character. */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const cut = text.slice(0, longest);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}
