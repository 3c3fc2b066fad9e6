import { readFileSync } from 'node:fs';

/** Descriptors that are not sessions: log, IPC, Redis, DNS, listening sockets, files that Node opens. */
const RESERVE = 128;
/** One for the client, one for the broker. */
const PER_SESSION = 2;
/** Where the limit cannot be read. */
const FALLBACK = 1024;

/** The soft limit of open files in a `/proc/self/limits`; infinity where there is none. */
export function openFilesLimit(limits: string): number {
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (found === 'unlimited') return Number.POSITIVE_INFINITY;
  return found === undefined ? FALLBACK : Number(found);
}

/** How many sessions this process has descriptors for, so that it stops accepting before it runs out of them. */
export function sessionsWithin(openFiles: number): number {
  return Math.max(1, Math.floor((openFiles - RESERVE) / PER_SESSION));
}

/** The same, of this process. */
export function sessionsOfThisProcess(): number {
  return sessionsWithin(openFilesOfThisProcess());
}

/** What this process may have open. Node has raised its soft limit to the hard one at its start. */
export function openFilesOfThisProcess(): number {
  try {
    return openFilesLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return FALLBACK;
  }
}
