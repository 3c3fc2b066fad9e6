/**
 * What `block_workers.mjs` has done, by what it tells: a byte in `blocked-PID` for each time that a worker stood still.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** How often each process stood still so far, by its pid. */
export type Blocks = ReadonlyMap<number, number>;

/** It tries five times a second; on a busy machine it comes late. */
const leastPerS = 2;

/** Of all processes that have told in this folder. */
export function blocksIn(folder: string): Blocks {
  return new Map(
    readdirSync(folder).flatMap(name => {
      const pid = /^blocked-(\d+)$/.exec(name)?.[1];
      return pid === undefined ? [] : [[Number(pid), statSync(join(folder, name)).size]];
    }),
  );
}

/** In words for `Measure.lost`: whether anything else than all workers, and only they, stood still for so long. Pure. */
export function blocksMissed(before: Blocks, after: Blocks, workers: number, seconds: number): string[] {
  const blocked = [...after].filter(([pid, count]) => count - (before.get(pid) ?? 0) >= seconds * leastPerS).length;
  return blocked === workers
    ? []
    : [`${blocked} event loops stood still again and again, not those of ${workers} workers`];
}
