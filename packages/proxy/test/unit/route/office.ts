/**
 * The primary as placements meet it, in one process and without sockets: ledger, scheduler, table and placer are the
 * real ones. With `shared` a second table stands for the one that all proxies share.
 */
import { localTable, MemoryTable, type StickTable } from '@limpet/state';
import { Ledger } from '../../../src/account/ledger.ts';
import type { ServerConfig } from '../../../src/config/resolved.ts';
import { Pins } from '../../../src/route/pins.ts';
import { Placement, type Route } from '../../../src/route/placement.ts';
import { Placer } from '../../../src/route/placer.ts';
import { Scheduler, type ServerStatus } from '../../../src/route/scheduler.ts';
import { BackendView } from '../../../src/route/view.ts';
import { backend, status } from './backend.ts';

export const TIMES = { pendingMs: 10_000, expireMs: 60_000 };
const BACKEND = 'emqx';

export interface OfficeOptions {
  readonly servers: readonly ServerConfig[];
  /** What stands for Redis; absent: the primary's own table is the stick table. */
  readonly shared?: StickTable;
  /** Entries of the primary's table; default 1,000. */
  readonly size?: number;
  /** False: `stick: false`. */
  readonly stick?: boolean;
}

export class Office {
  nowMs = 0;
  readonly ledger: Ledger = new Ledger();
  readonly pins: Pins = new Pins();
  readonly table: MemoryTable;
  readonly names: readonly string[];
  readonly #scheduler: Scheduler;
  readonly #view: BackendView;
  readonly #route: Route;
  /** Questions that the primary was asked. */
  asked = 0;

  constructor({ servers, shared, size = 1000, stick = true }: OfficeOptions) {
    const config = backend(servers);
    this.names = servers.map(({ name }) => name);
    this.table = new MemoryTable({ size, times: TIMES, now: () => this.nowMs });
    this.#scheduler = new Scheduler(
      config,
      name => this.conns(name),
      () => this.nowMs,
    );
    this.#view = new BackendView(config);
    for (const name of this.names) this.#scheduler.update(status(name));
    this.#view.update(this.#scheduler.statuses());
    const table = stick ? this.table : null;
    const placer = new Placer(new Map([[BACKEND, { scheduler: this.#scheduler, table }]]), this.ledger);
    this.#route = {
      view: this.#view,
      desk: {
        place: async request => {
          this.asked += 1;
          return placer.place({ id: 1, owner: 'lb1/1' }, request);
        },
        use: (session, backend, server) => this.ledger.use(1, session, backend, server),
        free: session => this.ledger.free(1, session),
      },
      table: stick ? (shared ?? localTable(this.table)) : null,
      shared: shared !== undefined,
      pins: this.pins,
      owner: 'lb1/1',
    };
  }

  /** A session with that number; `key` null: there is nothing to stick it on. */
  session(number: number, key: string | null): Placement {
    return new Placement(this.#route, number, key, '192.0.2.1');
  }

  set(name: string, state: Partial<Omit<ServerStatus, 'name'>>): void {
    this.#scheduler.update(status(name, state));
    this.#view.update(this.#scheduler.statuses());
  }

  conns(name: string): number {
    return this.ledger.conns(BACKEND, name);
  }

  /** All servers' counts, in the order of the configuration. */
  counts(): number[] {
    return this.names.map(name => this.conns(name));
  }
}

/** `s1 sticky`, or why there is nobody. */
export async function nextOf(placement: Placement): Promise<string> {
  const candidate = await placement.next(true);
  if (candidate.kind === 'nobody') return `nobody: ${candidate.why}`;
  return `${candidate.choice.server} ${candidate.choice.how}${candidate.choice.degraded ? ' degraded' : ''}`;
}
