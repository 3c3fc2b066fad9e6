import type { Counter, ScopeKind, TallyDelta } from './counters.ts';
import { Latency } from './latency.ts';

/** What was counted in one scope since the last flush. */
export class ScopeTally {
  readonly kind: ScopeKind;
  readonly name: string;
  readonly counts: Map<Counter, number> = new Map();
  sessions = 0;
  dial: Latency | null = null;
  connack: Latency | null = null;
  isDirty = false;

  constructor(kind: ScopeKind, name: string) {
    this.kind = kind;
    this.name = name;
  }

  /** Latencies; null: there are none. */
  merge(dial: Latency | null, connack: Latency | null): void {
    if (dial !== null) {
      this.dial ??= new Latency();
      this.dial.merge(dial);
    }
    if (connack === null) return;
    this.connack ??= new Latency();
    this.connack.merge(connack);
  }

  /** What it has, once: it begins at nothing again. Null: nothing has changed after all. */
  take(): TallyDelta | null {
    const { counts, sessions, dial, connack } = this;
    this.isDirty = false;
    if (counts.size === 0 && sessions === 0 && dial === null && connack === null) return null;
    const delta: TallyDelta = {
      ...{ k: this.kind, n: this.name },
      ...(counts.size > 0 ? { c: Object.fromEntries(counts) } : {}),
      ...(sessions !== 0 ? { s: sessions } : {}),
      ...(dial === null ? {} : { dial: dial.delta() }),
      ...(connack === null ? {} : { connack: connack.delta() }),
    };
    counts.clear();
    this.sessions = 0;
    this.dial = null;
    this.connack = null;
    return delta;
  }
}

/** Bytes of one direction. */
export class LaneBytes {
  readonly #lane: Lane;
  sum = 0;

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  add(bytes: number): void {
    this.sum += bytes;
    this.#lane.touch();
  }
}

/**
 * Scopes that are counted together: whoever counts does so once, and the flush tells all of them. So a chunk of bytes costs
 * one addition, not one for each scope.
 */
export class Lane {
  readonly #scopes: readonly ScopeTally[];
  /** Those whose sessions are counted here. */
  readonly #homes: readonly ScopeTally[];
  readonly #dirty: Lane[];
  readonly #counts = new Map<Counter, number>();
  #sessions = 0;
  #dial: Latency | null = null;
  #connack: Latency | null = null;
  #isDirty = false;
  /** From clients, and to them. */
  readonly in: LaneBytes = new LaneBytes(this);
  readonly out: LaneBytes = new LaneBytes(this);

  /** `dirty`: where it puts itself when there is something to tell. */
  constructor(scopes: readonly ScopeTally[], homes: readonly ScopeTally[], dirty: Lane[]) {
    this.#scopes = scopes;
    this.#homes = homes;
    this.#dirty = dirty;
  }

  count(counter: Counter): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1);
    this.touch();
  }

  /** A session more, or one less, of those that are there now. */
  session(by: 1 | -1): void {
    this.#sessions += by;
    this.touch();
  }

  dialled(ms: number): void {
    this.#dial ??= new Latency();
    this.#dial.add(ms);
    this.touch();
  }

  acknowledged(ms: number): void {
    this.#connack ??= new Latency();
    this.#connack.add(ms);
    this.touch();
  }

  touch(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#dirty.push(this);
  }

  /** Tells its scopes, and begins at nothing again. */
  spread(dirtyScopes: ScopeTally[]): void {
    this.#isDirty = false;
    if (this.in.sum > 0) this.#counts.set('bytes_in', this.in.sum);
    if (this.out.sum > 0) this.#counts.set('bytes_out', this.out.sum);
    for (const scope of this.#scopes) {
      for (const [counter, by] of this.#counts) scope.counts.set(counter, (scope.counts.get(counter) ?? 0) + by);
      scope.merge(this.#dial, this.#connack);
      if (scope.isDirty) continue;
      scope.isDirty = true;
      dirtyScopes.push(scope);
    }
    for (const home of this.#homes) home.sessions += this.#sessions;
    this.#counts.clear();
    this.#sessions = 0;
    this.in.sum = 0;
    this.out.sum = 0;
    this.#dial = null;
    this.#connack = null;
  }
}
