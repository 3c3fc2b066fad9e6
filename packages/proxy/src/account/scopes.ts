import type { Config } from '../config/resolved.ts';
import type { Counter, ScopeKind, TallyDelta } from './counters.ts';
import { bindScope, serverScope } from './scope_names.ts';
import { type Measured, ScopeSums } from './scope_sums.ts';

const KINDS: readonly ScopeKind[] = ['frontend', 'bind', 'backend', 'server', 'worker'];

/** All that is counted, by scope. */
export class Scopes {
  readonly #scopes: ReadonlyMap<ScopeKind, Map<string, ScopeSums>> = new Map(KINDS.map(kind => [kind, new Map()]));
  /** All workers together, the dead too. */
  readonly #total = new ScopeSums('connections');
  /** What is configured; null: nobody has said so yet. */
  #configured: ReadonlyMap<ScopeKind, ReadonlySet<string>> | null = null;
  #tickedMs: number | null = null;

  /** What a worker has counted since it last said so. */
  tally(worker: number, deltas: readonly TallyDelta[]): void {
    for (const delta of deltas) {
      const isWorker = delta.k === 'worker';
      this.#obtain(delta.k, isWorker ? String(worker) : delta.n).take(worker, delta);
      if (isWorker) this.#total.take(worker, delta);
    }
  }

  add(kind: ScopeKind, name: string, counter: Counter): void {
    this.#obtain(kind, name).add(counter, 1);
  }

  workerGone(worker: number): void {
    for (const scopes of this.#scopes.values()) for (const scope of scopes.values()) scope.workerGone(worker);
    this.#total.workerGone(worker);
    this.#of('worker').delete(String(worker));
  }

  /** Says what there is from now on. What is not among it is forgotten when its last session has ended. */
  configure({ frontends, backends }: Pick<Config, 'frontends' | 'backends'>): void {
    const binds = frontends.flatMap(frontend => frontend.binds.map((_, place) => bindScope(frontend, place)));
    const servers = backends.flatMap(({ name, servers }) => servers.map(server => serverScope(name, server.name)));
    this.#configured = new Map<ScopeKind, ReadonlySet<string>>([
      ['frontend', new Set(frontends.map(({ name }) => name))],
      ['bind', new Set(binds)],
      ['backend', new Set(backends.map(({ name }) => name))],
      ['server', new Set(servers)],
    ]);
  }

  /** Once a second. `nowMs`: monotonic. */
  tick(nowMs: number): void {
    const elapsedMs = nowMs - (this.#tickedMs ?? nowMs - 1000);
    if (elapsedMs <= 0) return;
    this.#tickedMs = nowMs;
    for (const scopes of this.#scopes.values()) for (const scope of scopes.values()) scope.tick(elapsedMs);
    this.#total.tick(elapsedMs);
    this.#sweep();
  }

  measured(kind: ScopeKind, name: string): Measured {
    if (kind === 'worker' && name === '') return this.#total.measured();
    return (this.#of(kind).get(name) ?? new ScopeSums('sessions')).measured();
  }

  sessionsOf(worker: number, kind: ScopeKind, name: string): number {
    return this.#of(kind).get(name)?.sessionsOf(worker) ?? 0;
  }

  /** Name → sessions now, of those that have counted anything. */
  sessions(kind: ScopeKind): Map<string, number> {
    return new Map([...this.#of(kind)].map(([name, scope]) => [name, scope.sessions]));
  }

  #sweep(): void {
    for (const [kind, names] of this.#configured ?? []) {
      const scopes = this.#of(kind);
      for (const [name, scope] of scopes) if (scope.sessions === 0 && !names.has(name)) scopes.delete(name);
    }
  }

  #obtain(kind: ScopeKind, name: string): ScopeSums {
    const scopes = this.#of(kind);
    const known = scopes.get(name);
    if (known !== undefined) return known;
    const made = new ScopeSums(kind === 'backend' || kind === 'server' ? 'sessions' : 'connections');
    scopes.set(name, made);
    return made;
  }

  #of(kind: ScopeKind): Map<string, ScopeSums> {
    return this.#scopes.get(kind) ?? new Map();
  }
}
