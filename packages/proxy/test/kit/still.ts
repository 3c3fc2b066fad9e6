import { until } from './condition.ts';

/** Longer than bytes on their way over loopback ever rest. */
const STILL_MS = 500;

/** Waits until a figure has stayed the same for half a second: what could move it has stopped. */
export async function untilStill(figure: () => number, what: string): Promise<void> {
  let last = Number.NaN;
  let sinceMs = 0;
  const isStill = (): boolean => {
    const now = figure();
    if (now !== last) [last, sinceMs] = [now, performance.now()];
    return performance.now() - sinceMs > STILL_MS;
  };
  await until(isStill, { what });
}
