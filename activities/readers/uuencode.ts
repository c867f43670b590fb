// Files as mail programs of the last century sent them (POSIX uuencode), which old gateways still do. mailparser leaves
// them as they are.

/** @param encoding Content-Transfer-Encoding: no standard name was ever given */
export function isUuencoded(encoding: unknown): boolean {
  return typeof encoding === 'string' && /^\s*(x-)?uu(e|encode)?\s*$/i.test(encoding);
}

/** @returns the content itself where it has no `begin` line */
export function decodeUu(content: Buffer): Buffer {
  const lines = content.toString('latin1').split(/\r?\n/);
  const begin = lines.findIndex((line) => /^begin \d{3,4} /.test(line));
  if (begin < 0) return content;
  const end = lines.findIndex((line, at) => at > begin && line === 'end');
  return Buffer.concat(lines.slice(begin + 1, end < 0 ? undefined : end).map(lineBytes));
}

// The first character is the length; four characters of six bits each make three bytes.
function lineBytes(line: string): Buffer {
  const sixBits = (at: number) => ((line.charCodeAt(at) || 32) - 32) & 63;
  const bytes: number[] = [];
  for (let at = 1; at < line.length; at += 4) {
    const bits = (sixBits(at) << 18) | (sixBits(at + 1) << 12) | (sixBits(at + 2) << 6) | sixBits(at + 3);
    bytes.push(bits >> 16, (bits >> 8) & 255, bits & 255);
  }
  return Buffer.from(bytes).subarray(0, line === '' ? 0 : sixBits(0));
}
