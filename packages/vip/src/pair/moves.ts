import type { Action, Reason } from './events.ts';
import { nextFence } from './fence.ts';
import { gradeOf, livePeer, type State, wordOf } from './state.ts';

interface Turn {
  readonly nowMs: number;
  readonly actions: Action[];
}

/** From now on this host holds the address, under that number. */
export function activate(state: State, fence: number, because: string, { nowMs, actions }: Turn): void {
  state.role = 'active';
  state.sinceMs = nowMs;
  state.fence = fence;
  state.highest = Math.max(state.highest, fence);
  state.leaseUntilMs = nowMs + state.terms.leaseMs;
  state.isAlone = false;
  state.nextBeatMs = nowMs;
  state.hurriedBeats = 3;
  actions.push({ do: 'hold', fence, because });
}

/** The proxy hears of it first: its connections can be reset only while the address is still there. */
export function letGo(state: State, because: Reason, graceMs: number, { nowMs, actions }: Turn): void {
  state.role = 'leaving';
  state.sinceMs = nowMs;
  state.renewedMs = -Infinity;
  tellWord(state, nowMs, actions);
  actions.push({ do: 'release', graceMs, because });
}

export function tellWord(state: State, nowMs: number, actions: Action[]): void {
  const word = wordOf(state, nowMs);
  if (word === state.told) return;
  state.told = word;
  actions.push({ do: 'tell', word });
}

/** Raises a holder's number above one that was chosen by a host that does not keep it. */
export function raiseFence(state: State, nowMs: number): void {
  if (state.highest <= state.fence) return;
  const peer = livePeer(state, nowMs);
  if (peer?.role === 'active' && gradeOf(state, nowMs) <= peer.grade) return;
  state.fence = nextFence(state.highest, state.terms.index);
  state.highest = state.fence;
}
