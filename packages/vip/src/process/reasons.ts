import type { TrackFile } from '../host/track_file.ts';
import type { Witness } from '../host/witness.ts';
import type { Reason } from '../pair/events.ts';
import type { State } from '../pair/state.ts';

/** Why an address was let go, in words. */
export const reasons: Readonly<Record<Reason, string>> = {
  stopped: 'limpet vip ends',
  track_file: 'the proxy is not ready',
  link_down: 'the interface has no carrier',
  peer_holds: 'the other host holds it with a better claim',
  lease_lost: 'the other host has the lease in Redis',
  isolated: 'it hears neither the other host, nor Redis, nor anything else',
  preempted: 'the other host has the higher priority and wants it',
  clock: 'it was paused for longer than a lease, or its clock has jumped',
  address: 'the address could not be set',
  vanishing: 'something else removes it again and again',
  leftover: 'an earlier life had left it here',
};

/** What is told of an address that cannot be removed. */
export const stuck = {
  again: 'it is tried again, and until it is gone the other host does not take it',
  slowly: 'it is tried once a second; CAP_NET_ADMIN is needed, and memory for the program `ip`',
} as const;

/** Why this host is in FAULT: everything that holds now. */
export function whyFault(state: State, nowMs: number, witness: Witness, track: TrackFile | null): string {
  const found = [
    state.isStopping ? 'it ends' : null,
    state.hasCarrier ? null : (witness.trouble() ?? 'the interface had no carrier'),
    state.isTrackGood ? null : (track?.trouble ?? null),
    nowMs < state.heldOffUntilMs ? 'the address could not be set, kept or removed' : null,
  ];
  return found.filter(why => why !== null).join('; ');
}
