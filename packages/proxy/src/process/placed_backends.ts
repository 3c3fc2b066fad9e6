import { MemoryTable } from '@limpet/state';
import type { BackendConfig, Config } from '../config/resolved.ts';
import type { PlacedBackend } from '../route/placer.ts';
import { Scheduler, type ServerStatus } from '../route/scheduler.ts';
import { stickTimes } from '../route/stick_times.ts';

/** How sessions of a server are counted. */
export interface Counting {
  /** Those of this proxy. */
  conns(backend: string, server: string): number;
  /** Those of all proxies. */
  load(backend: string, server: string): number;
}

/** Schedulers and tables of all backends, in the primary. What is there keeps what it knows across reloads. */
export class PlacedBackends {
  readonly #backends = new Map<string, PlacedBackend>();
  readonly #counting: Counting;
  #configured: ReadonlySet<string> = new Set();

  constructor(counting: Counting) {
    this.#counting = counting;
  }

  /** By name; also those that are gone and still have sessions. */
  get byName(): ReadonlyMap<string, PlacedBackend> {
    return this.#backends;
  }

  /**
   * Goes over to a configuration, also the first one. A backend that is gone goes on for those who are on their way to it,
   * and is forgotten at a later call, when it has no sessions any more.
   */
  reconfigure({ backends }: Config): void {
    const names = new Set(backends.map(({ name }) => name));
    for (const [name, { scheduler }] of this.#backends) {
      const isInUse = scheduler.statuses().some(server => this.#counting.conns(name, server.name) > 0);
      if (!names.has(name) && !this.#configured.has(name) && !isInUse) this.#backends.delete(name);
    }
    this.#configured = names;
    for (const backend of backends) {
      const known = this.#backends.get(backend.name);
      known?.scheduler.reconfigure(backend);
      const scheduler = known?.scheduler ?? this.#scheduler(backend);
      this.#backends.set(backend.name, { scheduler, table: tableOf(backend, known?.table ?? null) });
    }
  }

  update(backend: string, statuses: readonly ServerStatus[]): void {
    const scheduler = this.#backends.get(backend)?.scheduler;
    for (const status of statuses) scheduler?.update(status);
  }

  /** Nobody of that name will renew its entries any more. */
  ownerGone(owner: string): void {
    for (const { table } of this.#backends.values()) void table?.ownerGone(owner);
  }

  #scheduler(backend: BackendConfig): Scheduler {
    const { name } = backend;
    return new Scheduler(
      backend,
      server => this.#counting.load(name, server),
      () => performance.now(),
    );
  }
}

function tableOf(backend: BackendConfig, known: MemoryTable | null): MemoryTable | null {
  const { stick } = backend;
  if (stick === null) return null;
  const terms = { size: stick.size, times: stickTimes(backend, stick) };
  if (known === null) return new MemoryTable(terms);
  known.reconfigure(terms);
  return known;
}
