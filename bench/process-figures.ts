// What Linux says of a process (proc(5)).
import { readFileSync } from 'node:fs';

/** Clock ticks are hundredths of a second on every Linux that Node runs on (sysconf(3), _SC_CLK_TCK). */
const TICK_MS = 10;

export function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** Processor time so far, of all its threads. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
