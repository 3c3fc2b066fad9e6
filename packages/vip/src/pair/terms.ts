/** What both hosts of a pair have agreed on, and what is this host's own. Never changes while a process runs. */
export interface Terms {
  /** This host among the two, by the order of their names: the parity of its fencing numbers. */
  readonly index: 0 | 1;
  /** 1 to 254; the higher one is preferred where nobody holds the address. */
  readonly priority: number;
  /** Whether this host asks for the address as soon as it is the better one, though the other one serves. */
  readonly preempt: boolean;
  /** Between two heartbeats. */
  readonly intervalMs: number;
  /** Silence after which the other host is taken for dead. */
  readonly deadMs: number;
  /** How long a holder may hold without any proof that it still should. */
  readonly leaseMs: number;
  readonly hasRedis: boolean;
}

/** How long a host listens before it may take the address. */
export function listenMs({ deadMs }: Terms): number {
  return deadMs * 3;
}

/** For how long a host holds back after its address could not be set. */
export const holdOffMs = 5_000;

/** An address that somebody else removes is set again so often within so long; then the other host shall have it. */
export const mostVanishes = 3;
export const vanishWindowMs = 10_000;

/**
 * How long a host that was cut off must have been receiving, before it takes the address without a word of the other host
 * or of Redis: kernels ask for a neighbour that did not answer once a second only, so heartbeats come back late.
 */
export function returnMs({ leaseMs }: Terms): number {
  return Math.max(leaseMs, 1_500);
}
