import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a condition instead of a time: asks again and again until it holds.
 * @returns what the condition gave
 */
export async function until<Value>(
  what: string,
  condition: () => Promise<Value | null | undefined | false> | Value | null | undefined | false,
  withinMs = 15_000,
  everyMs = 20,
): Promise<Value> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`Waited ${withinMs} ms in vain until ${what}`);
    await delay(everyMs);
  }
}
