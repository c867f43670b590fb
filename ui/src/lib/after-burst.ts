/**
 * Calls `work` once, `waitMs` after the first call of a burst; while it runs, later calls cause one more run. What fails
 * is left to the next call: the screens keep what they showed.
 */
export function afterBurst(work: () => Promise<unknown>, waitMs: number): () => void {
  let waiting = false;
  let running = false;
  function call(): void {
    if (waiting) return;
    waiting = true;
    setTimeout(run, waitMs);
  }
  async function run(): Promise<void> {
    if (running) {
      setTimeout(run, waitMs);
      return;
    }
    waiting = false;
    running = true;
    await work().catch(() => {});
    running = false;
  }
  return call;
}
