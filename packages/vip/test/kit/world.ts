/**
 * Two hosts, a network, a Redis and a supervisor each, in simulated time: the state machine is run as the program runs it,
 * and everything around it is a few lines. One step is a millisecond.
 */
import { decide, nextWakeMs } from '../../src/pair/decide.ts';
import type { Action, Event } from '../../src/pair/events.ts';
import { nextFence } from '../../src/pair/fence.ts';
import { type Beat, beatOf, initialState, type State } from '../../src/pair/state.ts';
import type { Terms } from '../../src/pair/terms.ts';

export const times = { intervalMs: 20, deadMs: 60, leaseMs: 250 } as const;

export interface WorldOptions {
  readonly hasRedis?: boolean;
  readonly priorities?: readonly [number, number];
  readonly preempt?: boolean;
  /** What the clocks say at the start. */
  readonly wallMs?: number;
}

interface Later {
  readonly atMs: number;
  readonly run: () => void;
}

/** What is broken now. */
class Trouble {
  /** Datagrams from host 0, and from host 1, are lost. */
  readonly isMute = [false, false];
  readonly isRedisCut = [false, false];
  isRedisDown = false;
  /** No frame goes in or out, and the link stays up. */
  readonly isIsolated = [false, false];
  /** No frame goes in; what it sends arrives. */
  readonly isDeaf = [false, false];
  /** What a host has set it cannot remove. */
  readonly isStuck = [false, false];
  /** Nobody else sends anything on the network. */
  isQuiet = false;
}

class Node {
  state: State;
  isRunning = true;
  pausedUntilMs = 0;
  hasAddress = false;
  wallJumpMs = 0;
  /** Of the peer, as the program's link counts it. */
  heardAtMs = -Infinity;
  hasReceived = false;
  hasCarrier = true;
  wakeMs = 0;
  /** When something last told it that it may hold. */
  supportedMs = -Infinity;

  constructor(terms: Terms, nowMs: number) {
    this.state = initialState(terms, nowMs);
    this.state.isTrackGood = true;
    this.state.hasCarrier = true;
  }
}

type LeaseAction = Extract<Action, { do: 'look' | 'take' | 'renew' | 'give' }>;

function nothingHeard(action: LeaseAction, sentMs: number): Event | null {
  const answer = { is: 'away' } as const;
  if (action.do === 'take') return { kind: 'took', sentMs, answer };
  if (action.do === 'renew') return { kind: 'renewed', sentMs, fence: action.fence, answer };
  return action.do === 'look' ? { kind: 'looked', answer } : null;
}

export class World {
  nowMs = 1_000;
  readonly trouble = new Trouble();
  readonly nodes: readonly [Node, Node];
  /** Who has held each number. */
  readonly owners = new Map<number, Set<number>>();
  /** Each time that a host puts the address on. */
  readonly moves: { readonly atMs: number; readonly node: number; readonly fence: number }[] = [];
  readonly notes: string[] = [];
  readonly #terms: readonly [Terms, Terms];
  readonly #wallMs: number;
  #later: Later[] = [];
  #entry: { node: number; fence: number; atMs: number } | null = null;

  constructor({ hasRedis = true, priorities = [100, 100], preempt = false, wallMs }: WorldOptions = {}) {
    this.#wallMs = wallMs ?? 1_700_000_000_000;
    const common = { ...times, hasRedis, preempt };
    this.#terms = [
      { ...common, index: 0, priority: priorities[0] },
      { ...common, index: 1, priority: priorities[1] },
    ];
    this.nodes = [new Node(this.#terms[0], this.nowMs), new Node(this.#terms[1], this.nowMs)];
  }

  holders(): number[] {
    return [0, 1].filter(i => this.node(i).hasAddress);
  }

  node(i: number): Node {
    return i === 0 ? this.nodes[0] : this.nodes[1];
  }

  /** Runs for so long, and calls `check` after every millisecond. */
  run(ms: number, check: () => void = () => {}): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 1;
      const due = this.#later.filter(({ atMs }) => atMs <= this.nowMs);
      this.#later = this.#later.filter(({ atMs }) => atMs > this.nowMs);
      for (const { run } of due) run();
      this.#background();
      for (const i of [0, 1]) this.#wake(i);
      check();
    }
  }

  /** kill -9 of the worker: its supervisor removes the address, and starts it again. */
  crash(i: number, backAfterMs: number): void {
    const node = this.node(i);
    if (!node.isRunning) return;
    node.isRunning = false;
    this.after(3, () => {
      node.hasAddress = false;
    });
    const { highest } = node.state;
    this.after(Math.max(backAfterMs, 5), () => {
      const next = new Node(this.#terms[i === 0 ? 0 : 1], this.nowMs);
      Object.assign(node, next, { state: { ...next.state, highest } });
    });
  }

  happen(i: number, event: Event): void {
    const node = this.node(i);
    if (!node.isRunning) return;
    if (this.nowMs < node.pausedUntilMs) {
      this.#later.push({ atMs: node.pausedUntilMs, run: () => this.happen(i, event) });
      return;
    }
    const { state, actions } = decide(node.state, event, this.nowMs);
    node.state = state;
    if (state.role === 'active') this.#own(state.fence, i);
    for (const action of actions) this.#act(i, action);
    node.wakeMs = Math.max(this.nowMs + 1, Math.min(nextWakeMs(state), this.nowMs + times.intervalMs));
  }

  after(ms: number, run: () => void): void {
    this.#later.push({ atMs: this.nowMs + ms, run });
  }

  #own(fence: number, i: number): void {
    const owners = this.owners.get(fence) ?? new Set();
    this.owners.set(fence, owners.add(i));
  }

  #wake(i: number): void {
    const node = this.node(i);
    if (!node.isRunning || this.nowMs < node.pausedUntilMs || this.nowMs < node.wakeMs) return;
    const { hasReceived } = node;
    // What came in just before a pause is seen after it.
    if (hasReceived) node.supportedMs = this.nowMs;
    node.hasReceived = false;
    this.happen(i, { kind: 'link', hasCarrier: node.hasCarrier, hasReceived });
    this.happen(i, { kind: 'tick', wallMs: this.#wallMs + this.nowMs + node.wallJumpMs });
  }

  /** Other hosts of the network: a packet every now and then. */
  #background(): void {
    if (this.trouble.isQuiet || this.nowMs % 15 !== 0) return;
    for (const i of [0, 1]) this.#receive(i);
  }

  #receive(i: number): boolean {
    if (this.trouble.isIsolated[i] || this.trouble.isDeaf[i]) return false;
    this.node(i).hasReceived = true;
    this.node(i).supportedMs = this.nowMs;
    return true;
  }

  #act(i: number, action: Action): void {
    const node = this.node(i);
    if (action.do === 'beat') this.#beat(i);
    else if (action.do === 'hold') {
      node.hasAddress = true;
      this.moves.push({ atMs: this.nowMs, node: i, fence: action.fence });
    } else if (action.do === 'release') {
      const { sinceMs } = node.state;
      this.after(action.graceMs + 1, () => this.#released(i, sinceMs));
      // Neighbours answer, unless there is no way to them.
    } else if (action.do === 'probe') this.after(1, () => void this.#receive(i));
    else if (action.do === 'note') this.notes.push(action.event);
    else if (action.do === 'look' || action.do === 'take' || action.do === 'renew' || action.do === 'give') {
      this.#ask(i, action);
    }
  }

  #released(i: number, leftMs: number): void {
    const node = this.node(i);
    if (this.nowMs < node.pausedUntilMs) {
      this.after(node.pausedUntilMs - this.nowMs, () => this.#released(i, leftMs));
      return;
    }
    // A process that was killed meanwhile does nothing any more.
    if (!node.isRunning || node.state.role !== 'leaving' || node.state.sinceMs !== leftMs) return;
    if (this.trouble.isStuck[i] === true) {
      this.after(times.leaseMs / 5, () => this.#released(i, leftMs));
      this.happen(i, { kind: 'release_failed' });
      return;
    }
    node.hasAddress = false;
    this.happen(i, { kind: 'released' });
  }

  #beat(i: number): void {
    const { trouble } = this;
    const from = this.node(i);
    const beat: Beat = { ...beatOf(from.state, this.nowMs), hearsUs: this.nowMs - from.heardAtMs < times.deadMs };
    const to = 1 - i;
    if (trouble.isMute[i] || trouble.isIsolated[i] || trouble.isIsolated[to]) return;
    this.after(1, () => {
      if (!this.#receive(to)) return;
      this.node(to).heardAtMs = this.nowMs;
      this.happen(to, { kind: 'heard', beat });
    });
  }

  /** What Redis does in the middle of a round trip; what is away costs the deadline. */
  #ask(i: number, action: LeaseAction): void {
    const sentMs = this.nowMs;
    this.after(1, () => {
      const { isRedisDown, isRedisCut, isIsolated, isDeaf } = this.trouble;
      const isAway = isRedisDown || isRedisCut[i] === true || isIsolated[i] === true || isDeaf[i] === true;
      if (!isAway) this.#receive(i);
      const event = isAway ? nothingHeard(action, sentMs) : this.#answer(i, action, sentMs);
      const deadlineMs = action.do === 'take' ? 30 : 100;
      if (event !== null) this.after(isAway ? deadlineMs : 1, () => this.happen(i, event));
    });
  }

  #answer(i: number, action: LeaseAction, sentMs: number): Event | null {
    if (action.do === 'take') return { kind: 'took', sentMs, answer: this.#take(i, action.above, action.staleMs) };
    if (action.do === 'renew') {
      const { fence, staleMs } = action;
      return { kind: 'renewed', sentMs, fence, answer: this.#renew(i, fence, staleMs) };
    }
    const entry = this.#entry;
    if (action.do === 'look') {
      return { kind: 'looked', answer: entry === null ? { is: 'none' } : { is: 'entry', fence: entry.fence } };
    }
    if (entry?.node === i && entry.fence <= action.fence) this.#entry = { ...entry, node: -1 };
    return null;
  }

  #take(i: number, above: number, staleMs: number): Extract<Event, { kind: 'took' }>['answer'] {
    const entry = this.#entry;
    if (entry !== null && entry.node !== -1 && entry.node !== i && this.nowMs - entry.atMs < staleMs) {
      return { is: 'fresh', fence: entry.fence, ageMs: this.nowMs - entry.atMs };
    }
    const fence = nextFence(Math.max(entry?.fence ?? 0, above), i === 0 ? 0 : 1);
    this.#entry = { node: i, fence, atMs: this.nowMs };
    return { is: 'taken', fence };
  }

  #renew(i: number, own: number, staleMs: number): Extract<Event, { kind: 'renewed' }>['answer'] {
    const entry = this.#entry;
    const fence = entry?.node === i ? Math.max(own, entry.fence) : own;
    if (entry !== null && entry.node !== i) {
      const isFresh = entry.node !== -1 && this.nowMs - entry.atMs < staleMs;
      if (isFresh || entry.fence >= own) return { is: 'lost', fence: entry.fence };
    }
    this.#entry = { node: i, fence, atMs: this.nowMs };
    return { is: 'kept', fence };
  }
}
