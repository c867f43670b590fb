// `npm start`: everything on this machine, until Ctrl-C.
import { styleText } from 'node:util';
import { ConfigurationProblem } from '#domain/configuration.ts';
import { House } from './house/house.ts';
import { StartProblem, say } from './house/progress.ts';

async function main(): Promise<void> {
  const began = Date.now();
  const house = new House();
  const askedToStop = untilAskedToStop();
  const opened = house.open().then(() => 'opened' as const);
  // Asked in the middle of opening: what fails because of it is no news.
  opened.catch(() => {});
  if ((await Promise.race([opened, askedToStop])) === 'opened') {
    await greet(house, began);
    await askedToStop;
  }
  say('Closing…');
  await house.close();
  say('Closed.');
}

async function greet(house: House, began: number): Promise<void> {
  say('');
  say(`${styleText('bold', 'Relais is open')} after ${((Date.now() - began) / 1000).toFixed(1)} s. Ctrl-C closes it.`);
  say(`  Screens:        ${house.url}`);
  if (house.temporalUiUrl) say(`  Temporal's UI:  ${house.temporalUiUrl}`);
  if (await isFirstVisit(house.url)) say(`  First visit:    ${house.welcomeUrl}`);
}

async function isFirstVisit(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/inbox/welcome`);
  return ((await answer.json()) as { open: boolean }).open;
}

function untilAskedToStop(): Promise<'stop'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('stop'));
    // Whoever started us is gone.
    process.on('disconnect', () => resolve('stop'));
  });
}

main().then(
  () => process.exit(0),
  (error) => {
    if (error instanceof StartProblem || error instanceof ConfigurationProblem) say(`\n${error.message}`);
    else console.error(error);
    process.exit(1);
  },
);
