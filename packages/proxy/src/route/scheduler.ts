import type { AdminState } from '@limpet/state';
import type { Algorithm, BackendConfig, ServerConfig } from '../config/resolved.ts';
import { keepOnly } from './select/keep_only.ts';
import { selectorOf } from './select/select.ts';
import type { Ask, Contender, Selector } from './select/selector.ts';

/** What routing knows of a server at this moment. Plain data: it travels to the workers. */
export interface ServerStatus {
  readonly name: string;
  /** Literal address; null while its name does not resolve. */
  readonly address: string | null;
  readonly port: number;
  /** The checks' verdict. */
  readonly up: boolean;
  /**
   * It is down by this proxy's checks, up by those of another one, and nobody of this one has failed there lately: whoever
   * has its home there tries it first. New clients do not.
   */
  readonly contested: boolean;
  /** It has just kept somebody waiting: others are tried first. */
  readonly suspect: boolean;
  /** The operator's word. */
  readonly admin: AdminState;
  /** Effective: the operator's, else the configured one. */
  readonly weight: number;
}

export interface PickRequest extends Ask {
  /** Names that this session has tried already. */
  readonly exclude: readonly string[];
}

/** Why nobody can be picked. */
export type NoServer = 'down' | 'full';

const SLOWSTART_FLOOR = 0.05;

/** Returning clients may go there. */
export function takesReturning({ up, contested, address, admin }: ServerStatus): boolean {
  return (up || contested) && address !== null && (admin === 'ready' || admin === 'drain_new');
}

/** New clients may go there. */
export function takesNew({ up, address, admin, weight }: ServerStatus): boolean {
  return up && address !== null && admin === 'ready' && weight > 0;
}

/** A server with its status; only those that have one take part. */
interface Standing {
  /** In the configuration. */
  readonly index: number;
  readonly config: ServerConfig;
  readonly status: ServerStatus;
}

/**
 * Who is next, for one backend. There is one for the whole proxy, in the primary, so that turns and counts are exact
 * whichever worker asks (P6).
 */
export class Scheduler {
  #servers: readonly ServerConfig[];
  #balance: Algorithm;
  #selector: Selector;
  /** While sessions are spread anew: by connections, whatever the algorithm. */
  #evening: Selector | null = null;
  readonly #conns: (server: string) => number;
  readonly #now: () => number;
  readonly #status = new Map<string, ServerStatus>();
  /** Asked for at every CONNECT, and changed by update() and reconfigure() alone; null: to be made anew. */
  #known: readonly Standing[] | null = null;
  /** When a server came back, for slow start. */
  readonly #upSince = new Map<string, number>();

  /** `conns`: connections of a server now, reserved ones too. `now`: monotonic milliseconds. */
  constructor(backend: BackendConfig, conns: (server: string) => number, now: () => number) {
    this.#servers = backend.servers;
    this.#balance = backend.balance;
    this.#selector = selectorOf(backend.balance);
    this.#conns = conns;
    this.#now = now;
  }

  /** Takes a server's new status over. Slow start begins where the checks, or the end of maintenance, bring it back. */
  update(status: ServerStatus): void {
    const before = this.#status.get(status.name);
    if (before !== undefined && !isThere(before) && isThere(status)) this.#upSince.set(status.name, this.#now());
    this.#status.set(status.name, status);
    this.#known = null;
  }

  /**
   * Another configuration of the same backend. Statuses, slow start and, where the algorithm stays, turns are kept; what
   * is known of servers that are gone is forgotten. A new server takes part from its first update() on.
   */
  reconfigure(backend: BackendConfig): void {
    this.#servers = backend.servers;
    if (backend.balance !== this.#balance) this.#selector = selectorOf(backend.balance);
    this.#balance = backend.balance;
    const names = new Set(backend.servers.map(({ name }) => name));
    keepOnly(this.#status, names);
    keepOnly(this.#upSince, names);
    this.#selector.keep?.(names);
    this.#known = null;
  }

  /**
   * While a rebalance runs: pick() takes the server with the fewest connections for its weight, whatever the algorithm, and
   * without slow start. So who was asked to leave a crowded server comes to one below its share. Turns stay as they were.
   */
  setEvening(on: boolean): void {
    if (on) this.#evening ??= selectorOf('leastconn');
    else this.#evening = null;
  }

  statuses(): ServerStatus[] {
    return this.#servers.flatMap(server => this.#status.get(server.name) ?? []);
  }

  /** Servers that a returning client may go to. Suspects only when there is nobody else; contested ones in any case. */
  usable(exclude: readonly string[]): string[] {
    const open = this.#standing().filter(one => takesReturning(one.status) && this.#isOpen(one, exclude));
    return homes(open).map(({ config }) => config.name);
  }

  /**
   * The next server for a new client; its turn is used up. Active servers before backups, trusted before suspects; one
   * of weight 0 gets no new clients, and none that an operator has taken out of service.
   */
  pick(request: PickRequest): string | null {
    const open = this.#standing().filter(one => takesNew(one.status) && this.#isOpen(one, request.exclude));
    const selector = this.#evening ?? this.#selector;
    for (const suspect of [false, true]) {
      for (const backup of [false, true]) {
        const tier = open.filter(({ config, status }) => config.backup === backup && status.suspect === suspect);
        if (tier.length === 0) continue;
        const next = selector.order(this.#contenders(tier), request)[0];
        if (next !== undefined) return next.name;
      }
    }
    return null;
  }

  /** Why usable() and pick() found nobody. */
  whyNobody(): NoServer {
    return this.#standing().some(({ config, status }) => takesReturning(status) && this.#isFull(config))
      ? 'full'
      : 'down';
  }

  #standing(): readonly Standing[] {
    this.#known ??= this.#servers.flatMap((config, index) => {
      const status = this.#status.get(config.name);
      return status === undefined ? [] : { index, config, status };
    });
    return this.#known;
  }

  #contenders(servers: readonly Standing[]): Contender[] {
    return servers.map(({ index, config, status }) => ({
      index,
      name: config.name,
      weight: status.weight * (this.#evening === null ? this.#warmth(config) : 1),
      conns: this.#conns(config.name),
    }));
  }

  /** The share of its weight that a recovering server has regained. */
  #warmth(server: ServerConfig): number {
    const since = this.#upSince.get(server.name);
    if (since === undefined || server.slowstartMs === 0) return 1;
    const share = (this.#now() - since) / server.slowstartMs;
    if (share >= 1) this.#upSince.delete(server.name);
    return Math.min(1, Math.max(SLOWSTART_FLOOR, share));
  }

  #isOpen({ config }: Standing, exclude: readonly string[]): boolean {
    return !this.#isFull(config) && !exclude.includes(config.name);
  }

  #isFull(server: ServerConfig): boolean {
    return server.maxconn !== null && this.#conns(server.name) >= server.maxconn;
  }
}

/** Of servers that take returning clients: those whose clients are not to be moved away. */
export function homes<One extends { readonly status: ServerStatus }>(open: readonly One[]): One[] {
  const hasTrusted = open.some(({ status }) => status.up && !status.suspect);
  return open.filter(({ status }) => status.contested || !hasTrusted || !status.suspect);
}

function isThere({ up, admin }: ServerStatus): boolean {
  return up && admin !== 'maint';
}
