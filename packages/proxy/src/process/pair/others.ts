/** Another live proxy that is behind the same virtual addresses, as far as the shared state tells of it. */
export interface PairMate {
  /** Since it was last heard what it sees. */
  readonly heardAgoMs: number;
  /** Whether its checks find a server in that backend, whatever operators say of it: their words hold for all. */
  sees(backend: string): boolean;
}

/** `wait`: it seems to help, but what the others have said is older than what has changed here. */
export type Help = 'yes' | 'no' | 'wait';

/** What was heard so soon after a change does not count: the other one checks at other moments, and tells every 100 ms. */
const TOO_SOON_MS = 400;
/** No longer: the clients wait, too. */
const LONGEST_WAIT_MS = 1000;

/**
 * Whether it helps that this proxy says it is not ready, because these backends have no usable server. Where none of the
 * others lacks fewer of them, moving the address would help nobody; and if all said no, nobody would have it. `others`
 * null: that cannot be known. `forMs`: since the last of them went missing.
 */
export function helpsToLetGo(
  missing: readonly string[],
  needed: readonly string[],
  others: readonly PairMate[] | null,
  forMs: number,
): Help {
  if (others === null) return 'yes';
  const better = others.filter(other => needed.filter(backend => !other.sees(backend)).length < missing.length);
  if (better.length === 0) return 'no';
  const isKnown = better.some(({ heardAgoMs }) => heardAgoMs + TOO_SOON_MS <= forMs);
  return isKnown || forMs >= LONGEST_WAIT_MS ? 'yes' : 'wait';
}
