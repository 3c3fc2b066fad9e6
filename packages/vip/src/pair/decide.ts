import { absorb } from './absorb.ts';
import type { Action, Decision, Event } from './events.ts';
import { judge } from './judge.ts';
import { letGo, tellWord } from './moves.ts';
import { isHolding, livePeer, type State } from './state.ts';
import { listenMs } from './terms.ts';

/**
 * The whole behaviour of a host of a pair: what it knows, what has happened, and what it does. No clock, socket or
 * process in it. The state that goes in is not changed.
 */
export function decide(before: State, event: Event, nowMs: number): Decision {
  const state = { ...before };
  const actions: Action[] = [];
  const turn = { nowMs, actions };
  const hasJumped = hasClockJumped(state, event, nowMs);
  state.lastMs = nowMs;
  if (event.kind === 'tick') state.wallOffsetMs = event.wallMs - nowMs;
  if (hasJumped) startAnew(state, turn);
  absorb(state, event, nowMs, actions);
  judge(state, turn);
  tellWord(state, nowMs, actions);
  sendWhatIsDue(state, turn);
  return { state, actions };
}

/** When this host must be asked again, if nothing happens before. */
export function nextWakeMs(state: State): number {
  const wakes = [state.nextBeatMs];
  if (state.role === 'active') wakes.push(state.leaseUntilMs);
  if (state.role === 'starting') wakes.push(state.listenUntilMs);
  if (state.role === 'standby') {
    if (state.peer !== null && state.peer.heardMs + state.terms.deadMs > state.lastMs) {
      wakes.push(state.peer.heardMs + state.terms.deadMs);
    } else if (state.askAgainMs > state.lastMs) wakes.push(state.askAgainMs);
  }
  return Math.min(...wakes);
}

/** It was paused for longer than a lease, or its clocks no longer agree: what it knows is old, and another may hold. */
function hasClockJumped(state: State, event: Event, nowMs: number): boolean {
  const { leaseMs } = state.terms;
  if (nowMs - state.lastMs > leaseMs) return true;
  if (event.kind !== 'tick' || state.wallOffsetMs === null) return false;
  return Math.abs(event.wallMs - nowMs - state.wallOffsetMs) > leaseMs;
}

interface Turn {
  readonly nowMs: number;
  readonly actions: Action[];
}

function startAnew(state: State, turn: Turn): void {
  state.peer = null;
  state.isRedisThere = false;
  state.listenUntilMs = turn.nowMs + listenMs(state.terms);
  turn.actions.push({
    do: 'note',
    level: 'warn',
    event: 'vip_clock',
    message: 'this host was paused, or its clock has jumped',
  });
  if (state.role === 'active') letGo(state, 'clock', 0, turn);
  else if (state.role === 'standby') state.role = 'starting';
}

function sendWhatIsDue(state: State, { nowMs, actions }: Turn): void {
  if (nowMs < state.nextBeatMs) return;
  const { intervalMs, deadMs, hasRedis } = state.terms;
  const isHurried = state.hurriedBeats > 0;
  state.nextBeatMs = nowMs + (isHurried ? intervalMs / 4 : intervalMs);
  if (isHurried) state.hurriedBeats -= 1;
  actions.push({ do: 'beat' });
  if (!hasRedis) return;
  if (state.role === 'active') {
    if (state.isRenewing) return;
    state.isRenewing = true;
    const peer = livePeer(state, nowMs);
    // What a host that says it holds nothing has left in Redis is no lease.
    actions.push({ do: 'renew', fence: state.fence, staleMs: peer !== null && !isHolding(peer) ? 0 : deadMs });
  } else if (!state.isAsking) actions.push({ do: 'look' });
}
