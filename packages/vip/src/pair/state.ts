import type { Grade } from './fence.ts';
import type { Terms } from './terms.ts';
import { listenMs } from './terms.ts';

/**
 * - `starting`: it listens, and takes nothing yet.
 * - `standby`: it may take the address, if it is ready.
 * - `active`: it holds the address.
 * - `leaving`: it has decided to let go, and the address is being removed. It stays so for as long as the address is seen here.
 */
export type Role = 'starting' | 'standby' | 'active' | 'leaving';

/** What a heartbeat says of its sender. */
export interface Beat {
  readonly role: Role;
  /** Its track file and its link are fine. */
  readonly ready: boolean;
  /** The number that it holds, or held last; 0: none since its start. */
  readonly fence: number;
  readonly grade: Grade;
  readonly priority: number;
  /** It asks the holder to hand over (preemption). */
  readonly wants: boolean;
  /** It hears us: it has answered something that we sent within the last `deadMs`. */
  readonly hearsUs: boolean;
}

export interface Peer extends Beat {
  readonly heardMs: number;
}

/** All that a host knows. Times are of one monotonic clock; -Infinity: never. */
export interface State {
  readonly terms: Terms;
  role: Role;
  sinceMs: number;
  /** What it holds, or held last. */
  fence: number;
  /** The highest number that it has ever seen. */
  highest: number;
  peer: Peer | null;
  /** Since when the other host says that it holds, and does not hear us; Infinity: it does not. */
  defiedSinceMs: number;
  isTrackGood: boolean;
  hasCarrier: boolean;
  /** Its own address could not be set or removed: it is not ready until then. */
  heldOffUntilMs: number;
  /** When its address was missed lately, though it held. */
  vanishedMs: readonly number[];
  isStopping: boolean;
  isFinished: boolean;
  listenUntilMs: number;
  isRedisThere: boolean;
  /** When the last renewal was sent that Redis took. */
  renewedMs: number;
  isRenewing: boolean;
  isAsking: boolean;
  askAgainMs: number;
  leaseUntilMs: number;
  /** When the interface received last, and since when it has been doing so without a gap of a lease. */
  receivedMs: number;
  receivingSinceMs: number;
  /** The same, where gaps of up to `returnMs` do not count. */
  backSinceMs: number;
  /** It may take the address though it hears nothing at all: once, until it hears something again. */
  mayTakeBlind: boolean;
  isAlone: boolean;
  probedMs: number;
  nextBeatMs: number;
  /** Heartbeats that are sent sooner, because they carry news. */
  hurriedBeats: number;
  lastMs: number;
  /** Wall clock less monotonic clock, as last seen; null: not yet. */
  wallOffsetMs: number | null;
  told: Word | null;
}

/** What keepalived's FIFO calls it. */
export type Word = 'MASTER' | 'BACKUP' | 'FAULT';

export function initialState(terms: Terms, nowMs: number): State {
  return {
    terms,
    role: 'starting',
    sinceMs: nowMs,
    fence: 0,
    highest: 0,
    peer: null,
    defiedSinceMs: Infinity,
    isTrackGood: false,
    hasCarrier: false,
    heldOffUntilMs: -Infinity,
    vanishedMs: [],
    isStopping: false,
    isFinished: false,
    listenUntilMs: nowMs + listenMs(terms),
    isRedisThere: false,
    renewedMs: -Infinity,
    isRenewing: false,
    isAsking: false,
    askAgainMs: -Infinity,
    leaseUntilMs: -Infinity,
    receivedMs: -Infinity,
    receivingSinceMs: -Infinity,
    backSinceMs: -Infinity,
    mayTakeBlind: true,
    isAlone: false,
    probedMs: -Infinity,
    nextBeatMs: nowMs,
    hurriedBeats: 0,
    lastMs: nowMs,
    wallOffsetMs: null,
    told: null,
  };
}

export function isReady(state: State, nowMs: number): boolean {
  return state.isTrackGood && state.hasCarrier && nowMs >= state.heldOffUntilMs && !state.isStopping;
}

/** The other host, where it was heard within `deadMs`. */
export function livePeer(state: State, nowMs: number): Peer | null {
  const { peer } = state;
  return peer !== null && nowMs - peer.heardMs < state.terms.deadMs ? peer : null;
}

/** Whether that host has the address on it. */
export function isHolding(beat: Pick<Beat, 'role'>): boolean {
  return beat.role === 'active' || beat.role === 'leaving';
}

export function gradeOf(state: State, nowMs: number): Grade {
  const { leaseMs } = state.terms;
  if (nowMs - state.renewedMs < leaseMs) return 2;
  const isReceiving = nowMs - state.receivedMs < leaseMs && nowMs - state.receivingSinceMs >= leaseMs;
  return isReceiving ? 1 : 0;
}

export function wordOf(state: State, nowMs: number): Word {
  if (state.role === 'active') return 'MASTER';
  return isReady(state, nowMs) ? 'BACKUP' : 'FAULT';
}

/** What the next heartbeat says. Whether the other one hears us is the sender's to add. */
export function beatOf(state: State, nowMs: number): Omit<Beat, 'hearsUs'> {
  return {
    role: state.role,
    ready: isReady(state, nowMs),
    fence: state.fence,
    grade: gradeOf(state, nowMs),
    priority: state.terms.priority,
    wants: wantsAddress(state, nowMs),
  };
}

function wantsAddress(state: State, nowMs: number): boolean {
  const { terms } = state;
  const peer = livePeer(state, nowMs);
  if (!terms.preempt || state.role !== 'standby' || peer?.role !== 'active') return false;
  const isSettled = nowMs - state.sinceMs >= listenMs(terms);
  return isReady(state, nowMs) && isSettled && terms.priority > peer.priority;
}
