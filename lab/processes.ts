/**
 * The processes below another one.
 */
import { readFileSync } from 'node:fs';
import { childrenOf } from '../packages/proxy/test/kit/proc.ts';

export interface RunningProcess {
  readonly pid: number;
  /** Its command line, words apart by spaces. */
  readonly command: string;
}

/** Children, their children, and so on; those that end meanwhile are left out. */
export function processesBelow(pid: number): RunningProcess[] {
  return childrenOf(pid).flatMap(child => {
    const command = commandOf(child);
    const below = processesBelow(child);
    return command === null ? below : [{ pid: child, command }, ...below];
  });
}

/** Sends a signal to each; one that is gone already is no error. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function commandOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
  } catch {
    return null;
  }
}
