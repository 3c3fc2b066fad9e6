import type { BackendConfig, ServerConfig } from '../config/resolved.ts';
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
  /** It has just kept somebody waiting: others are tried first. */
  readonly suspect: boolean;
}

export interface PickRequest extends Ask {
  /** Names that this session has tried already. */
  readonly exclude: readonly string[];
}

/** Why nobody can be picked. */
export type NoServer = 'down' | 'full';

const SLOWSTART_FLOOR = 0.05;

/**
 * Who is next, for one backend. There is one for the whole proxy, in the primary, so that turns and counts are exact
 * whichever worker asks (P6).
 */
export class Scheduler {
  readonly #servers: readonly ServerConfig[];
  readonly #selector: Selector;
  readonly #conns: (server: string) => number;
  readonly #now: () => number;
  readonly #status = new Map<string, ServerStatus>();
  /** When a server came back, for slow start. */
  readonly #upSince = new Map<string, number>();

  /** `conns`: connections of a server now, reserved ones too. `now`: monotonic milliseconds. */
  constructor(backend: BackendConfig, conns: (server: string) => number, now: () => number) {
    this.#servers = backend.servers;
    this.#selector = selectorOf(backend.balance);
    this.#conns = conns;
    this.#now = now;
  }

  /** Takes a server's new status over. */
  update(status: ServerStatus): void {
    const before = this.#status.get(status.name);
    if (before !== undefined && !before.up && status.up) this.#upSince.set(status.name, this.#now());
    this.#status.set(status.name, status);
  }

  statuses(): ServerStatus[] {
    return this.#servers.flatMap(server => this.#status.get(server.name) ?? []);
  }

  /** Servers that a returning client may go to. Suspects only when there is nobody else. */
  usable(exclude: readonly string[]): string[] {
    const open = this.#servers.filter(server => this.#isOpen(server, exclude));
    const trusted = open.filter(server => !this.#isSuspect(server));
    return (trusted.length > 0 ? trusted : open).map(server => server.name);
  }

  /**
   * The next server for a new client; its turn is used up. Active servers before backups, trusted before suspects; one
   * of weight 0 gets no new clients.
   */
  pick(request: PickRequest): string | null {
    const open = this.#servers.filter(server => server.weight > 0 && this.#isOpen(server, request.exclude));
    for (const suspect of [false, true]) {
      for (const backup of [false, true]) {
        const tier = open.filter(server => server.backup === backup && this.#isSuspect(server) === suspect);
        const next = this.#selector.order(this.#contenders(tier), request)[0];
        if (next !== undefined) return next.name;
      }
    }
    return null;
  }

  /** Why usable() and pick() found nobody. */
  whyNobody(): NoServer {
    return this.#servers.some(server => this.#isUp(server) && this.#isFull(server)) ? 'full' : 'down';
  }

  #contenders(servers: readonly ServerConfig[]): Contender[] {
    return servers.map(server => ({
      index: this.#servers.indexOf(server),
      name: server.name,
      weight: server.weight * this.#warmth(server),
      conns: this.#conns(server.name),
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

  #isOpen(server: ServerConfig, exclude: readonly string[]): boolean {
    return this.#isUp(server) && !this.#isFull(server) && !exclude.includes(server.name);
  }

  #isUp(server: ServerConfig): boolean {
    const status = this.#status.get(server.name);
    return status?.up === true && status.address !== null;
  }

  #isSuspect(server: ServerConfig): boolean {
    return this.#status.get(server.name)?.suspect === true;
  }

  #isFull(server: ServerConfig): boolean {
    return server.maxconn !== null && this.#conns(server.name) >= server.maxconn;
  }
}
