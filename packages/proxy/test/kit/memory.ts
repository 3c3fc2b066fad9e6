/**
 * What the processes of a program keep, without the garbage that waits for V8.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { privateBytes } from './proc.ts';

/** The environment of a program whose memory is asked for. */
export const COLLECTING: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=${new URL('collector.mjs', import.meta.url)}`,
};

/** V8 gives pages back in the background: what the second look finds may still be on its way. */
const LOOKS = 8;
const BETWEEN_MS = 200;

/** Private memory of each, the least of some moments right behind collections. They were started with `COLLECTING`. */
export async function keptBytes(pids: readonly number[]): Promise<number[]> {
  let least = pids.map(() => Number.POSITIVE_INFINITY);
  for (let look = 0; look < LOOKS; look += 1) {
    for (const pid of pids) process.kill(pid, 'SIGWINCH');
    await delay(BETWEEN_MS);
    least = pids.map((pid, index) => Math.min(privateBytes(pid), least[index] ?? 0));
  }
  return least;
}
