/**
 * The streak of a server: HAProxy's one counter `health`, between 0 and rise + fall - 1. The server is UP while it is
 * at least `rise`. A pass adds one and, once UP, fills the counter; a failure takes one away and, once below `rise`,
 * empties it. So `fall` failures in a row bring a server down and `rise` passes bring it back.
 */
export interface Streak {
  readonly health: number;
  /** A client's failure has been counted since the last check. */
  readonly passiveCounted: boolean;
}

export interface StreakLimits {
  /** At least 1. */
  readonly rise: number;
  /** At least 1. */
  readonly fall: number;
}

/** `passive`: a client's dial or CONNACK failed on this server. */
export type StreakEvent = 'passed' | 'failed' | 'passive';

/** Where a server begins: UP, but its first failure brings it down, as in HAProxy. */
export function initialStreak(limits: StreakLimits): Streak {
  return { health: limits.rise, passiveCounted: false };
}

/** DOWN, and one pass brings it UP: where a server stands whose name has begun to resolve. */
export function returningStreak(limits: StreakLimits): Streak {
  return { health: limits.rise - 1, passiveCounted: false };
}

/** The same verdict under other limits, and as near to the other one as it was. */
export function carriedStreak(streak: Streak, before: StreakLimits, after: StreakLimits): Streak {
  const { health, passiveCounted } = streak;
  if (!isUp(streak, before)) return { health: Math.min(health, after.rise - 1), passiveCounted };
  const isSure = health === before.rise + before.fall - 1;
  const above = isSure ? after.fall - 1 : Math.min(health - before.rise, after.fall - 1);
  return { health: after.rise + above, passiveCounted };
}

/** As sure of a verdict as checks can be: where a server stands whose health an operator has set. */
export function sureStreak(verdict: 'up' | 'down', { rise, fall }: StreakLimits): Streak {
  return { health: verdict === 'up' ? rise + fall - 1 : 0, passiveCounted: false };
}

export function isUp(streak: Streak, limits: StreakLimits): boolean {
  return streak.health >= limits.rise;
}

/**
 * The streak after one event, and whether the verdict has changed.
 *
 * A passive failure counts as a failed check, but only once between two checks: a hundred clients that meet one
 * hiccup are one hiccup, and no number of clients can bring a server down that passes its checks in between (with
 * `fall` above 1). While the server is DOWN it counts for nothing: it is late word of the time before, and only checks
 * can tell of the recovery.
 */
export function stepStreak(
  streak: Streak,
  event: StreakEvent,
  limits: StreakLimits,
): { readonly streak: Streak; readonly changed: boolean } {
  const wasUp = isUp(streak, limits);
  if (event === 'passive' && (!wasUp || streak.passiveCounted)) return { streak, changed: false };
  const health = event === 'passed' ? raised(streak.health, limits) : lowered(streak.health, limits);
  const next = { health, passiveCounted: event === 'passive' };
  return { streak: next, changed: isUp(next, limits) !== wasUp };
}

function raised(health: number, { rise, fall }: StreakLimits): number {
  const next = health + 1;
  return next >= rise ? rise + fall - 1 : next;
}

function lowered(health: number, { rise }: StreakLimits): number {
  const next = health - 1;
  return next < rise ? 0 : next;
}

export interface CheckIntervals {
  readonly interMs: number;
  readonly fastinterMs: number;
  readonly downinterMs: number;
}

/** How long to wait for the next check: `inter` when surely UP, `downinter` when surely DOWN, `fastinter` in between. */
export function nextIntervalMs(streak: Streak, check: StreakLimits & CheckIntervals): number {
  if (streak.health === check.rise + check.fall - 1) return check.interMs;
  return streak.health === 0 ? check.downinterMs : check.fastinterMs;
}

/** The interval, up to a tenth shorter or longer, so that checks of many servers and proxies drift apart. `draw` is in [0, 1). */
export function jitteredMs(intervalMs: number, draw: number): number {
  return intervalMs * (0.9 + 0.2 * draw);
}
