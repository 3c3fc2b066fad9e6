/**
 * What holds the event loops of a program under test: of its primary, and of each worker.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Directory } from './directory.ts';

const probe = fileURLToPath(new URL('turns_probe.mjs', import.meta.url));

/** The longest pauses of one process. */
export interface Pauses {
  readonly pid: number;
  /** The CPU time of the longest one that the program itself is to blame for. */
  readonly workedMs: number;
  /** With the time in which this machine let it wait for a processor. */
  readonly longestMs: number;
}

/** The environment in which a program tells of its event loops; `directory` is the test's. */
export function watchedTurns(directory: Directory): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${probe}`, TURNS_DIR: directory.path };
}

/** The longest pauses of these processes that were told of between two moments (`Date.now()`). */
export function pausesBetween(directory: Directory, pids: readonly number[], fromMs: number, toMs: number): Pauses[] {
  return pids.map(pid => {
    const lines = readFileSync(directory.file(String(pid)), 'utf8')
      .trimEnd()
      .split('\n');
    const told = lines.map(line => JSON.parse(line) as Pauses & { readonly atMs: number });
    const meant = told.filter(({ atMs }) => atMs > fromMs && atMs <= toMs);
    if (meant.length === 0) throw new Error(`process ${pid} told nothing of its event loop`);
    return {
      pid,
      workedMs: Math.max(...meant.map(({ workedMs }) => workedMs)),
      longestMs: Math.max(...meant.map(({ longestMs }) => longestMs)),
    };
  });
}
