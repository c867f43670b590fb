/** The text of an attribute as the sanitiser writes it: `a&b` of `a&amp;b`. */
export function attributeText(written: string): string {
  return written.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
