// A house from its opening to Ctrl-C, for `npm start` and `npm run demo`.
import { styleText } from 'node:util';
import { ConfigurationProblem } from '#domain/configuration.ts';
import type { House } from './house.ts';
import { StartProblem, say } from './progress.ts';

/** @param onOpen what to say or do once everything serves; what it throws closes the house */
export async function keepOpen(makeHouse: () => House, onOpen: (house: House) => Promise<void>): Promise<never> {
  try {
    const began = Date.now();
    const house = makeHouse();
    const askedToStop = untilAskedToStop();
    const opened = house.open().then(() => 'opened' as const);
    // Asked in the middle of opening: what fails because of it is no news.
    opened.catch(() => {});
    try {
      if ((await Promise.race([opened, askedToStop])) === 'opened') {
        say(`\n${styleText('bold', 'Relais is open')} after ${seconds(began)} s. Ctrl-C closes it.`);
        say(`  Screens:        ${house.url}`);
        if (house.temporalUiUrl) say(`  Temporal's UI:  ${house.temporalUiUrl}`);
        await Promise.race([onOpen(house), askedToStop]);
        await askedToStop;
      }
    } finally {
      say('Closing…');
      await house.close();
      say('Closed.');
    }
  } catch (error) {
    if (error instanceof StartProblem || error instanceof ConfigurationProblem) say(`\n${error.message}`);
    else console.error(error);
    process.exit(1);
  }
  process.exit(0);
}

function seconds(began: number): string {
  return ((Date.now() - began) / 1000).toFixed(1);
}

function untilAskedToStop(): Promise<'stop'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('stop'));
    // Whoever started us is gone.
    process.on('disconnect', () => resolve('stop'));
  });
}
