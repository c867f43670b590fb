import { createServer } from 'node:net';
import { StartProblem } from './progress.ts';

/** A port nobody uses now, at or below 32767: Temporal's SQL store keeps ports as 16-bit signed integers. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await portIsFree(port)) return port;
  }
  throw new StartProblem('No free port was found between 20000 and 32000: stop programs that listen there.');
}

export function portIsFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

/** @throws StartProblem naming the variable that moves the service elsewhere */
export async function needPort(port: number, what: string, variable: string, host = '127.0.0.1'): Promise<void> {
  if (await portIsFree(port, host)) return;
  throw new StartProblem(
    `Port ${port} for ${what} is used by another program: stop that program, or start with ${variable}=<another port>.`,
  );
}
