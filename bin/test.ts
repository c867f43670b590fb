// `npm test`: every kind of proof, one after the other, each within its budget, and one sum at the end.
// Usage: npm test [-- --long] [-- suite…]
import { styleText } from 'node:util';
import { StartProblem, say } from './house/progress.ts';
import { runSuite, stopRunningSuite } from './proofs/run-suite.ts';
import { LONG_BUDGET_FACTOR, PATIENCE_FACTOR, SUITES, type Suite } from './proofs/suites.ts';

async function main(words: string[]): Promise<number> {
  const isLong = words.includes('--long');
  const suites = chosen(words.filter((word) => !word.startsWith('--')));
  const sum = { passed: 0, failed: 0 };
  const began = Date.now();
  const lines: string[] = [];
  for (const suite of suites) {
    say(`\n${styleText('bold', suite.title)}`);
    const suiteBegan = Date.now();
    const { passed, failed } = await runSuite(suite, {
      withinMinutes: suite.budgetMinutes * (isLong ? LONG_BUDGET_FACTOR : PATIENCE_FACTOR),
      env: { TEST_SIZE: isLong ? 'long' : 'small' },
    });
    sum.passed += passed;
    sum.failed += failed;
    lines.push(line(suite, passed, failed, Date.now() - suiteBegan));
  }
  say(`\n${lines.join('\n')}`);
  say(`${minutes(Date.now() - began)} in all`);
  say(`${sum.passed} passed, ${sum.failed} failed`);
  return sum.failed === 0 && sum.passed > 0 ? 0 : 1;
}

function chosen(names: string[]): readonly Suite[] {
  const unknown = names.find((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown) {
    throw new StartProblem(
      `There is no suite "${unknown}": choose among ${SUITES.map((suite) => suite.name).join(', ')}.`,
    );
  }
  return names.length === 0 ? SUITES : SUITES.filter((suite) => names.includes(suite.name));
}

function line(suite: Suite, passed: number, failed: number, tookMs: number): string {
  const mark = failed === 0 ? styleText('green', '✓') : styleText('red', '✗');
  const counts = `${String(passed).padStart(4)} passed ${String(failed).padStart(3)} failed`;
  return `${mark} ${suite.name.padEnd(14)}${counts}  ${minutes(tookMs)} of ${suite.budgetMinutes} min`;
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopRunningSuite();
    process.exit(130);
  });
}
process.on('disconnect', () => {
  stopRunningSuite();
  process.exit(130);
});

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof StartProblem ? error.message : error);
    process.exit(1);
  },
);
