import type { Action, Reason } from './events.ts';
import { nextFence, outranks } from './fence.ts';
import { activate, letGo, raiseFence } from './moves.ts';
import { gradeOf, isHolding, isReady, livePeer, type Peer, type State } from './state.ts';
import { listenMs, returnMs } from './terms.ts';

interface Turn {
  readonly nowMs: number;
  readonly actions: Action[];
}

/**
 * In which the proxy resets its connections. One that has written its track file has done that before, and where there is
 * no carrier nobody would hear of it.
 */
const graceMs: Readonly<Partial<Record<Reason, number>>> = { stopped: 10, peer_holds: 10, preempted: 10, isolated: 10 };

/** What follows from what this host knows now. */
export function judge(state: State, turn: Turn): void {
  if (state.role === 'starting' && turn.nowMs >= state.listenUntilMs) {
    state.role = 'standby';
    state.sinceMs = turn.nowMs;
    const message = 'it has listened long enough: from now on it may take the address';
    turn.actions.push({ do: 'note', level: 'info', event: 'vip_listened', message });
  }
  if (state.role === 'active') judgeHolder(state, turn);
  if (state.role === 'standby') judgeStandby(state, turn);
  if (state.isStopping && !state.isFinished && state.role !== 'active' && state.role !== 'leaving') {
    state.isFinished = true;
    turn.actions.push({ do: 'finish' });
  }
}

function judgeHolder(state: State, turn: Turn): void {
  const { nowMs } = turn;
  const reason = reasonToLeave(state, nowMs);
  if (reason !== null) letGo(state, reason, graceMs[reason] ?? 0, turn);
  else if (nowMs >= state.leaseUntilMs) judgeLease(state, turn);
  else raiseFence(state, nowMs);
  if (state.role === 'active') probeInSilence(state, turn);
}

/** An idle network is no dead one: before a lease ends in silence, the neighbours are asked a few times. */
function probeInSilence(state: State, { nowMs, actions }: Turn): void {
  const pauseMs = state.terms.leaseMs / 4;
  const isConfirmed = livePeer(state, nowMs) !== null || nowMs - state.renewedMs < pauseMs;
  if (isConfirmed || nowMs - Math.max(state.receivedMs, state.probedMs) < pauseMs) return;
  state.probedMs = nowMs;
  actions.push({ do: 'probe' });
}

function reasonToLeave(state: State, nowMs: number): Reason | null {
  const unfit = unfitness(state, nowMs);
  if (unfit !== null) return unfit;
  const peer = livePeer(state, nowMs);
  if (peer === null) return null;
  if (isBeatenBy(state, peer, nowMs)) return 'peer_holds';
  return isPreempted(state, peer) ? 'preempted' : null;
}

function unfitness(state: State, nowMs: number): Reason | null {
  if (isReady(state, nowMs)) return null;
  if (state.isStopping) return 'stopped';
  if (!state.hasCarrier) return 'link_down';
  return state.isTrackGood ? 'address' : 'track_file';
}

/**
 * One that holds and does not hear us will not let go, whatever our claim: who hears it must. But one that hears nobody at
 * all lets go when its own lease ends, so that is waited for.
 */
function isBeatenBy(state: State, peer: Peer, nowMs: number): boolean {
  if (peer.role !== 'active') return false;
  if (nowMs - state.defiedSinceMs >= state.terms.leaseMs * 2) return true;
  return outranks(peer, { grade: gradeOf(state, nowMs), fence: state.fence });
}

function isPreempted(state: State, peer: Peer): boolean {
  return peer.wants && peer.ready && peer.hearsUs && peer.priority > state.terms.priority;
}

/** Nobody has confirmed this holder for a whole lease. What still comes in by its interface is the last witness. */
function judgeLease(state: State, turn: Turn): void {
  const { nowMs, actions } = turn;
  const { leaseMs } = state.terms;
  if (nowMs - state.receivedMs >= leaseMs) {
    state.mayTakeBlind = false;
    state.receivedMs = -Infinity;
    letGo(state, 'isolated', graceMs.isolated ?? 0, turn);
    return;
  }
  state.leaseUntilMs = state.receivedMs + leaseMs;
  if (state.isAlone) return;
  state.isAlone = true;
  const message = 'neither the other host nor Redis answers; it keeps the address, for its interface receives';
  actions.push({ do: 'note', level: 'warn', event: 'vip_alone', message });
}

function judgeStandby(state: State, turn: Turn): void {
  const { nowMs, actions } = turn;
  if (!isReady(state, nowMs) || state.isAsking || nowMs < state.askAgainMs) return;
  const { terms } = state;
  const peer = livePeer(state, nowMs);
  if (peer !== null) {
    if (!isHolding(peer) && !isPreferred(state, peer, nowMs)) takeAlone(state, 'the other host does not hold it', turn);
    return;
  }
  if (terms.hasRedis && state.isRedisThere) {
    state.isAsking = true;
    actions.push({ do: 'take', above: floorOf(state, nowMs), staleMs: terms.deadMs });
    return;
  }
  // One that was cut off waits until it has been hearing something for a while: the first word may be the holder's.
  const waitMs = returnMs(terms);
  const isBack = nowMs - state.receivedMs < waitMs && nowMs - state.backSinceMs >= waitMs;
  if (state.mayTakeBlind || isBack) takeAlone(state, 'the other host is silent, and Redis does not answer', turn);
  else probeInSilence(state, turn);
}

/**
 * Of two that could take it. One that is just starting listens first, and only one that has just done so itself waits for
 * it: both hosts are starting then. Else it is a holder that died, and is back.
 */
function isPreferred(state: State, peer: Peer, nowMs: number): boolean {
  const { terms } = state;
  const isComing = peer.role === 'starting' && nowMs - state.sinceMs < listenMs(terms);
  // One that does not hear us cannot know that it may take it.
  if (!peer.ready || !peer.hearsUs || (peer.role !== 'standby' && !isComing)) return false;
  return peer.priority === terms.priority ? terms.index === 1 : peer.priority > terms.priority;
}

/** Without asking Redis. */
function takeAlone(state: State, because: string, turn: Turn): void {
  activate(state, nextFence(floorOf(state, turn.nowMs), state.terms.index), because, turn);
}

/**
 * A new number is above all that were seen, and above the seconds of the clock: where both hosts and Redis have forgotten
 * them all, numbers do not go back.
 */
function floorOf(state: State, nowMs: number): number {
  const wallMs = nowMs + (state.wallOffsetMs ?? 0);
  return Math.max(state.highest, Math.floor(wallMs / 1000), 0);
}
