import type { Action, Event, RenewAnswer, TakeAnswer } from './events.ts';
import { activate, letGo } from './moves.ts';
import { isHolding, isReady, livePeer, type State } from './state.ts';
import { holdOffMs, mostVanishes, returnMs, vanishWindowMs } from './terms.ts';

/** What the event means by itself, before anything is concluded from it. Changes `state`, and adds to `actions`. */
export function absorb(state: State, event: Event, nowMs: number, actions: Action[]): void {
  switch (event.kind) {
    case 'tick':
      return;
    case 'heard':
      absorbBeat(state, event, { nowMs, actions });
      return;
    case 'track':
      state.isTrackGood = event.isGood;
      return;
    case 'link':
      absorbLink(state, event, nowMs);
      return;
    case 'looked':
      state.isRedisThere = event.answer.is !== 'away';
      if (state.isRedisThere) state.mayTakeBlind = true;
      if (event.answer.is === 'entry') state.highest = Math.max(state.highest, event.answer.fence);
      return;
    case 'took':
      state.isAsking = false;
      absorbTake(state, event.answer, event.sentMs, { nowMs, actions });
      return;
    case 'renewed':
      state.isRenewing = false;
      absorbRenewal(state, event, { nowMs, actions });
      return;
    case 'released':
      absorbRelease(state, nowMs, actions);
      return;
    case 'release_failed':
      // Not ready: the proxy hears FAULT for as long as the address is stuck here.
      state.heldOffUntilMs = nowMs + holdOffMs;
      return;
    case 'hold_failed':
      state.heldOffUntilMs = nowMs + holdOffMs;
      if (state.role === 'active') letGo(state, 'address', 0, { nowMs, actions });
      return;
    case 'vanished':
      absorbVanishing(state, { nowMs, actions });
      return;
    case 'stop':
      state.isStopping = true;
  }
}

interface Turn {
  readonly nowMs: number;
  readonly actions: Action[];
}

function absorbBeat(state: State, { beat }: Extract<Event, { kind: 'heard' }>, { nowMs, actions }: Turn): void {
  // Two held it: the last one to announce it was the other one.
  if (state.role === 'active' && state.peer?.role === 'active' && beat.role !== 'active')
    actions.push({ do: 'announce' });
  const isDefied = beat.role === 'active' && !beat.hearsUs;
  // After a silence it is too early to say.
  const sinceMs = livePeer(state, nowMs) === null ? nowMs : Math.min(state.defiedSinceMs, nowMs);
  state.defiedSinceMs = isDefied ? sinceMs : Infinity;
  state.peer = { ...beat, heardMs: nowMs };
  state.highest = Math.max(state.highest, beat.fence);
  state.mayTakeBlind = true;
  // Whoever hears us and holds nothing leaves the address to us.
  if (state.role === 'active' && beat.hearsUs && !isHolding(beat)) {
    state.leaseUntilMs = Math.max(state.leaseUntilMs, nowMs + state.terms.leaseMs);
  }
}

function absorbLink(state: State, event: Extract<Event, { kind: 'link' }>, nowMs: number): void {
  state.hasCarrier = event.hasCarrier;
  if (!event.hasCarrier) {
    state.mayTakeBlind = false;
    state.receivedMs = -Infinity;
    return;
  }
  if (!event.hasReceived) return;
  const gapMs = nowMs - state.receivedMs;
  if (gapMs >= state.terms.leaseMs) state.receivingSinceMs = nowMs;
  if (gapMs >= returnMs(state.terms)) state.backSinceMs = nowMs;
  state.receivedMs = nowMs;
}

function absorbTake(state: State, answer: TakeAnswer, sentMs: number, { nowMs, actions }: Turn): void {
  state.isRedisThere = answer.is !== 'away';
  if (answer.is === 'away') return;
  state.highest = Math.max(state.highest, answer.fence);
  if (answer.is === 'fresh') {
    const leftMs = state.terms.deadMs - answer.ageMs;
    state.askAgainMs = nowMs + Math.min(Math.max(leftMs, 1), state.terms.intervalMs);
    return;
  }
  const isWanted = state.role === 'standby' && isReady(state, nowMs) && nowMs - sentMs < state.terms.leaseMs;
  if (!isWanted) {
    if (state.role !== 'active') actions.push({ do: 'give', fence: answer.fence });
    return;
  }
  state.renewedMs = sentMs;
  activate(state, answer.fence, 'the other host is silent, and its lease is stale', { nowMs, actions });
  state.leaseUntilMs = sentMs + state.terms.leaseMs;
}

function absorbRenewal(
  state: State,
  { answer, sentMs, fence }: { answer: RenewAnswer; sentMs: number; fence: number },
  { nowMs, actions }: Turn,
): void {
  state.isRedisThere = answer.is !== 'away';
  if (answer.is === 'away') return;
  state.highest = Math.max(state.highest, answer.fence);
  if (state.role !== 'active') return;
  if (answer.is === 'kept') {
    state.fence = Math.max(state.fence, answer.fence);
    state.renewedMs = Math.max(state.renewedMs, sentMs);
    state.leaseUntilMs = Math.max(state.leaseUntilMs, sentMs + state.terms.leaseMs);
  } else if (fence === state.fence) {
    letGo(state, 'lease_lost', 10, { nowMs, actions });
  }
}

function absorbVanishing(state: State, { nowMs, actions }: Turn): void {
  if (state.role !== 'active') return;
  state.vanishedMs = [...state.vanishedMs.filter(atMs => nowMs - atMs < vanishWindowMs), nowMs];
  const note = (level: 'warn' | 'error', message: string): void =>
    void actions.push({ do: 'note', level, event: 'vip_address', message });
  if (state.vanishedMs.length <= mostVanishes) {
    note('warn', 'something else has removed the address from this host: it is set again');
    actions.push({ do: 'hold', fence: state.fence, because: 'something else had removed it' });
    return;
  }
  const seconds = vanishWindowMs / 1_000;
  note('error', `something else has removed the address ${state.vanishedMs.length} times within ${seconds} s`);
  state.vanishedMs = [];
  state.heldOffUntilMs = nowMs + holdOffMs;
  letGo(state, 'vanishing', 0, { nowMs, actions });
}

function absorbRelease(state: State, nowMs: number, actions: Action[]): void {
  if (state.role !== 'leaving') return;
  state.role = nowMs < state.listenUntilMs ? 'starting' : 'standby';
  state.sinceMs = nowMs;
  // The other host moves as soon as it hears of this; one datagram may be lost.
  state.nextBeatMs = nowMs;
  state.hurriedBeats = 3;
  if (state.terms.hasRedis) actions.push({ do: 'give', fence: state.fence });
}
