import { rmSync } from 'node:fs';

export default async function tearDown(): Promise<void> {
  await (globalThis as { stopTestServices?: () => Promise<void> }).stopTestServices?.();
  if (process.env.TEST_HOME) rmSync(process.env.TEST_HOME, { recursive: true, force: true });
}
