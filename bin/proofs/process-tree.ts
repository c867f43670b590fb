// A suite starts servers, each a process group of its own, and when it is stopped nobody else would stop them.
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** The processes that came of this one, and it itself; read it before it is stopped, because orphans have no parent. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const line of processes()) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    if (pid && parent) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = [root];
  for (let at = 0; at < tree.length; at += 1) tree.push(...(children.get(tree[at]!) ?? []));
  return tree;
}

/** Asks all of them to end, the first one first: it may start again what ends. */
export function stopAll(tree: readonly number[]): void {
  for (const pid of tree) signal(pid, 'SIGTERM');
}

/** Waits until they have ended; what has not by then is killed. */
export async function allEnded(tree: readonly number[], withinMs: number): Promise<void> {
  const until = Date.now() + withinMs;
  while (tree.some((pid) => signal(pid, 0)) && Date.now() < until) await delay(100);
  for (const pid of tree) signal(pid, 'SIGKILL');
}

function processes(): string[] {
  try {
    return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  } catch {
    return [];
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
