import type { Eviction, LiveSession } from './workshop.ts';

/**
 * Asks so many of these sessions to leave, the first ones first; answers how many were asked. Those that were asked before,
 * and those that have no broker yet, are passed over.
 */
export function evict(sessions: readonly LiveSession[], count: number, eviction: Eviction): number {
  let asked = 0;
  for (const session of sessions) {
    if (asked >= count) break;
    if (session.evict(eviction)) asked += 1;
  }
  return asked;
}
