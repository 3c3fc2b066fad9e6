/**
 * Waiting for a condition instead of for time: the tests have no sleeps.
 */
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 10;
const defaultTimeoutMs = 10_000;

/** What a condition answers once it holds. */
export type Truthy<T> = Exclude<T, false | null | undefined>;

export interface Wait {
  /** What is waited for; the error says it. */
  readonly what: string;
  /** Default 10 s. */
  readonly timeoutMs?: number;
  /** Told in the error as well: what was seen instead. */
  readonly seen?: () => string;
}

/**
 * Asks `question` again and again until it answers something truthy, and answers that. Throws when the time is over,
 * and at once when the question itself throws.
 */
export async function until<T>(question: () => T | Promise<T>, wait: Wait): Promise<Truthy<T>> {
  const timeoutMs = wait.timeoutMs ?? defaultTimeoutMs;
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await question();
    if (answer) return answer as Truthy<T>;
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms for ${wait.what}${instead(wait)}`);
    await delay(pollMs);
  }
}

/** The promise's value, or an error that says what did not come within the time. */
export async function within<T>(promise: Promise<T>, wait: Wait): Promise<T> {
  const timeoutMs = wait.timeoutMs ?? defaultTimeoutMs;
  const over = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`waited ${timeoutMs} ms for ${wait.what}${instead(wait)}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => undefined);
    over.abort();
  }
}

function instead(wait: Wait): string {
  return wait.seen === undefined ? '' : `; instead:\n${wait.seen()}`;
}
