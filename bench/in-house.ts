// A measurement from beginning to end: a house of its own, closed again also when it is asked to stop in the middle.
import { StartProblem, say } from '../bin/house/progress.ts';
import { BenchHouse } from './house.ts';

export async function inHouse(measure: (house: BenchHouse) => Promise<void>, withinMinutes = 8): Promise<never> {
  const house = new BenchHouse();
  let code = 0;
  try {
    const measured = measure(house);
    // Asked to stop in the middle: what fails because of it is no news.
    measured.catch(() => {});
    if ((await Promise.race([measured, untilAskedToStop(withinMinutes)])) === 'stop') code = 130;
  } catch (error) {
    if (error instanceof StartProblem) say(`\n${error.message}`);
    else console.error(error);
    code = 1;
  } finally {
    await house.close();
  }
  process.exit(code);
}

function untilAskedToStop(withinMinutes: number): Promise<'stop'> {
  return new Promise((resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('stop'));
    // Whoever started us is gone.
    process.on('disconnect', () => resolve('stop'));
    setTimeout(
      () => reject(new Error('The measurement took too long: the machine is too busy.')),
      withinMinutes * 60_000,
    ).unref();
  });
}
