// When a message was written, by its own account, where that can be believed.

const A_DAY_MS = 24 * 3600_000;

/** A message from the future would stand at the top of every list for ever. */
export function believableDate(written: string | undefined, receivedAt: Date, problems: string[]): Date {
  const at = written ? new Date(written) : receivedAt;
  if (at.getTime() <= receivedAt.getTime() + A_DAY_MS) return at;
  problems.push('Its date cannot be right: the time it was received stands instead.');
  return receivedAt;
}
