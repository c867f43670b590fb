// What a person at the terminal sees: one line per step, and signs of life from whatever takes longer than two seconds.
import { styleText } from 'node:util';

const FIRST_SIGN_MS = 2_000;
const NEXT_SIGN_MS = 5_000;

/** An error whose message is one sentence for the person at the terminal: no stack is shown. */
export class StartProblem extends Error {
  override name = 'StartProblem';
}

export function say(line: string): void {
  console.log(line);
}

/** Runs a step, says what it does while it lasts, and how long it took. */
export async function step<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  let ticker: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    say(styleText('dim', `  … ${title}`));
    ticker = setInterval(() => say(styleText('dim', `  … ${title}, ${seconds()}`)), NEXT_SIGN_MS);
  }, FIRST_SIGN_MS);
  try {
    const result = await work();
    say(`${styleText('green', '✓')} ${title} ${styleText('dim', `(${((Date.now() - started) / 1000).toFixed(1)} s)`)}`);
    return result;
  } catch (error) {
    say(`${styleText('red', '✗')} ${title}`);
    throw error;
  } finally {
    clearTimeout(first);
    clearInterval(ticker);
  }
}
