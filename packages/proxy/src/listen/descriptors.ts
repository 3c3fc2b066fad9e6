import { readFileSync } from 'node:fs';
import type { Config } from '../config/resolved.ts';

/** Descriptors that are not sessions: log, IPC, Redis, DNS, files that Node opens, the two below. */
const RESERVE = 128;
/** So many pipes are in the reserve, two descriptors each. */
const RESERVED_PIPES = 16;
/** So many listening sockets are in the reserve. */
const RESERVED_LISTENING = 16;
/** One for itself, two for a session that it has brought when there was no room any more. */
const PER_LISTENING = 3;
/** What waits in one may be 1 MB of the kernel's memory. */
const MOST_PIPES = 64;
/** With so few descriptors as that for each, pipes would be at the cost of sessions. */
const FILES_PER_PIPE = 64;
/** One for the client, one for the broker. */
const PER_SESSION = 2;
/** Where the limit cannot be read. */
const FALLBACK = 1024;

/** What decides how many sockets a worker may listen on. */
type ListeningConfig = {
  readonly global: Pick<Config['global'], 'workers'>;
  readonly frontends: readonly Pick<Config['frontends'][number], 'binds'>[];
};

/** The soft limit of open files in a `/proc/self/limits`; infinity where there is none. */
export function openFilesLimit(limits: string): number {
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (found === 'unlimited') return Number.POSITIVE_INFINITY;
  return found === undefined ? FALLBACK : Number(found);
}

/** What a process has descriptors for. */
export interface Places {
  /** So many sessions: then it accepts nobody. */
  readonly most: number;
  /**
   * So many more, of those that it has accepted by then: each of its listeners may have brought one, and one more when it was
   * taken back meanwhile.
   */
  readonly over: number;
}

/** `listening`: sockets that it may come to listen on; they are never more than a quarter of all. */
export function placesWithin(openFiles: number, listening: number): Places {
  const pipes = 2 * Math.max(0, pipesWithin(openFiles) - RESERVED_PIPES);
  const beyond = Math.max(0, listening - RESERVED_LISTENING);
  const reserved = Math.min(beyond, Math.floor(openFiles / 4 / PER_LISTENING));
  const left = openFiles - RESERVE - pipes - PER_LISTENING * reserved;
  return {
    most: Math.max(1, Math.floor(left / PER_SESSION)),
    over: Math.min(2 * listening, RESERVED_LISTENING + reserved),
  };
}

/** How many sessions a worker with few binds has descriptors for, so that it stops accepting before it runs out of them. */
export function sessionsWithin(openFiles: number): number {
  return placesWithin(openFiles, 0).most;
}

/** The same of this process, or of workers that it has begun. Each may have to listen on the sockets of all of them. */
export function placesOfThisProcess({ global, frontends }: ListeningConfig): Places {
  const binds = frontends.reduce((sum, frontend) => sum + frontend.binds.length, 0);
  return placesWithin(openFilesOfThisProcess(), binds * global.workers);
}

/** How many pipes the native relay may have open, so that bytes in bulk go through them (splice). */
export function pipesWithin(openFiles: number): number {
  return Math.min(MOST_PIPES, Math.floor(openFiles / FILES_PER_PIPE));
}

/** What this process may have open. Node has raised its soft limit to the hard one at its start. */
export function openFilesOfThisProcess(): number {
  try {
    return openFilesLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return FALLBACK;
  }
}
