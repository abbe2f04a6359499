/** How many calls end a second when every caller makes one after another. */
import { setTimeout as delay } from "node:timers/promises";

const WARM_UP_MS = 1_000;
/** One sample is the rate of so long. */
const WINDOW_MS = 250;

/** One rate a window, over `seconds`, after a warm-up. A call that fails ends it all. */
export async function perSecond(seconds: number, callers: readonly (() => Promise<void>)[]): Promise<number[]> {
  let ended = 0;
  let running = true;
  const loops = callers.map(async (call) => {
    while (running) {
      await call();
      ended += 1;
    }
  });
  const failed = Promise.all(loops);
  const rates: number[] = [];
  const measure = async (): Promise<void> => {
    await delay(WARM_UP_MS);
    for (let window = 0; window < (seconds * 1_000) / WINDOW_MS; window += 1) {
      const before = ended;
      const startMs = performance.now();
      await delay(WINDOW_MS);
      rates.push(((ended - before) * 1_000) / (performance.now() - startMs));
    }
    running = false;
  };
  await Promise.all([measure(), failed]);
  return rates;
}
