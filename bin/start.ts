// `npm start`: everything on this machine, until Ctrl-C.
import { House } from './house/house.ts';
import { keepOpen } from './house/keep-open.ts';
import { say } from './house/progress.ts';

await keepOpen(
  () => new House(),
  async (house) => {
    if (await isFirstVisit(house.url)) say(`  First visit:    ${house.welcomeUrl}`);
  },
);

async function isFirstVisit(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/inbox/welcome`);
  return ((await answer.json()) as { open: boolean }).open;
}
