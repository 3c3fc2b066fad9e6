import type { Beat, State, Word } from './state.ts';

/** What Redis says of the lease. `away`: nothing, within the deadline. */
export type LookAnswer =
  | { readonly is: 'entry'; readonly fence: number }
  | { readonly is: 'none' }
  | { readonly is: 'away' };
export type TakeAnswer =
  | { readonly is: 'taken'; readonly fence: number }
  /** Somebody else has renewed it `ageMs` ago. */
  | { readonly is: 'fresh'; readonly fence: number; readonly ageMs: number }
  | { readonly is: 'away' };
export type RenewAnswer =
  /** `fence` may be higher than what was renewed: a take of our own that was thought lost. */
  | { readonly is: 'kept'; readonly fence: number }
  /** Somebody else has it. */
  | { readonly is: 'lost'; readonly fence: number }
  | { readonly is: 'away' };

/** What happens to a host. */
export type Event =
  | { readonly kind: 'tick'; readonly wallMs: number }
  | { readonly kind: 'heard'; readonly beat: Beat }
  | { readonly kind: 'track'; readonly isGood: boolean }
  | { readonly kind: 'link'; readonly hasCarrier: boolean; readonly hasReceived: boolean }
  | { readonly kind: 'looked'; readonly answer: LookAnswer }
  | { readonly kind: 'took'; readonly sentMs: number; readonly answer: TakeAnswer }
  | { readonly kind: 'renewed'; readonly sentMs: number; readonly fence: number; readonly answer: RenewAnswer }
  /** The address is off the interface. */
  | { readonly kind: 'released' }
  /** It is still there, though it was to be removed; it is tried again. */
  | { readonly kind: 'release_failed' }
  | { readonly kind: 'hold_failed' }
  /** It was set, and is not there any more, though nobody was told to remove it. */
  | { readonly kind: 'vanished' }
  | { readonly kind: 'stop' };

/** Why an address was let go. */
export type Reason =
  | 'stopped'
  | 'track_file'
  | 'link_down'
  | 'peer_holds'
  | 'lease_lost'
  | 'isolated'
  | 'preempted'
  | 'clock'
  | 'address'
  | 'vanishing'
  | 'leftover';

/** What a host is to do, in this order. */
export type Action =
  | { readonly do: 'beat' }
  /** Put the address on the interface, and announce it. */
  | { readonly do: 'hold'; readonly fence: number; readonly because: string }
  /** Take it off, after `graceMs` in which connections on it can be reset, and say `released`. */
  | { readonly do: 'release'; readonly graceMs: number; readonly because: Reason }
  /** Once more, for another host has announced it too. */
  | { readonly do: 'announce' }
  /** Ask the neighbours for a sign of life: any answer is something received. */
  | { readonly do: 'probe' }
  | { readonly do: 'look' }
  /** Take the lease, where nobody else has renewed it within `staleMs`. */
  | { readonly do: 'take'; readonly above: number; readonly staleMs: number }
  | { readonly do: 'renew'; readonly fence: number; readonly staleMs: number }
  | { readonly do: 'give'; readonly fence: number }
  | { readonly do: 'tell'; readonly word: Word }
  | { readonly do: 'note'; readonly level: 'info' | 'warn' | 'error'; readonly event: string; readonly message: string }
  | { readonly do: 'finish' };

export interface Decision {
  readonly state: State;
  readonly actions: readonly Action[];
}
