// Named places where a test may kill the process, or stop it as an overloaded machine does, to show that nothing is lost or
// done twice whatever happens there. Without RELAIS_FAULT_POINT in the environment, as everywhere but in such a test, they
// do nothing.
import { appendFileSync, existsSync } from 'node:fs';

// <name>:<n>, where the process dies on the n-th time it comes by; <name>:<n>:SIGSTOP leaves it as it is until somebody sends
// SIGCONT. The file RELAIS_FAULT_LOG gets the name and the time first: the test can assert that the place was reached, and
// the process that is started next lives.
const [armedName, armedHit, signal] = (process.env.RELAIS_FAULT_POINT ?? '').split(':');
const isStopped = signal === 'SIGSTOP';
let hits = 0;

export async function faultPoint(name: string): Promise<void> {
  if (!armedName || armedName !== name) return;
  hits += 1;
  const log = process.env.RELAIS_FAULT_LOG;
  if (hits !== Number(armedHit ?? 1) || !log || existsSync(log)) return;
  appendFileSync(log, `${name} ${Date.now()}\n`);
  process.kill(process.pid, isStopped ? 'SIGSTOP' : 'SIGKILL');
  if (isStopped) return;
  // The signal is on its way: nothing after this point may run.
  await new Promise(() => {});
}
