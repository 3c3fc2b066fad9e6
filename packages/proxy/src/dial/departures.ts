import { isIP } from 'node:net';
import { portsOfWorker, type WorkersPorts } from './local_ports.ts';
import { PortPool, type TakenPort } from './port_ring.ts';

/** Where one connection begins. */
export interface Departure extends TakenPort {
  readonly address: string;
}

/** The ways to one server. They are tried in this order until one is free. */
export interface Departures {
  /** The next one; null: there is none left to try. */
  next(): Departure | null;
  /** The one before was not to be had because its address is not on this host: its other ports need no try. */
  skipAddress(): void;
  /** No address of them is on this host. */
  readonly areAllMissing: boolean;
}

/** A server as connections reach it. */
export interface Destination {
  /** Literal. */
  readonly address: string;
  readonly port: number;
  /** `ServerConfig.source`; not empty. */
  readonly source: readonly string[];
}

/**
 * How many ports of one address are tried. Those of our own connections are known and never tried; what is met are ports
 * that others have: a process before this one, a worker before a reload changed their number, TIME_WAIT.
 */
const TRIES_OF_ADDRESS = 16;

/** Beyond so many, those that nobody uses are let go of: names of servers may lead to new addresses again and again. */
const MANY_POOLS = 1_000;

/**
 * From where this worker's connections begin, where servers have `source`: explicit ports, of each worker its own first, and
 * each server has all of them. With an address alone the kernel would give each port once, to whatever server.
 */
export class DepartureBoard {
  readonly #ports: readonly number[];
  readonly #random: () => number;
  readonly #slot: number;
  #shared: WorkersPorts;
  /** By source address, server address and port. */
  #pools = new Map<string, PortPool>();
  /** By server: how many connections have begun. */
  readonly #turns = new Map<string, number>();
  #workers: number;

  /** `ports`: what all workers share (`readLocalPorts`). */
  constructor(ports: readonly number[], slot: number, workers: number, random: () => number = Math.random) {
    this.#ports = ports;
    this.#slot = slot;
    this.#workers = workers;
    this.#random = random;
    this.#shared = portsOfWorker(ports, slot, workers);
  }

  /** Another number of workers: this one has other ports. Those in use stay in use, and are met as the ports of others. */
  reconfigure(workers: number): void {
    if (workers === this.#workers) return;
    this.#workers = workers;
    this.#shared = portsOfWorker(this.#ports, this.#slot, workers);
    this.#pools = new Map();
  }

  /** The ways to a server, its source addresses in turn; null where none is of its family. */
  to({ address, port, source }: Destination): Departures | null {
    const fitting = source.filter(from => isIP(from) === isIP(address));
    if (fitting.length === 0) return null;
    const server = `${address} ${port}`;
    const turn = (this.#turns.get(server) ?? 0) % fitting.length;
    this.#turns.set(server, turn + 1);
    const inTurn = [...fitting.slice(turn), ...fitting.slice(0, turn)];
    return new Walk(inTurn.map(from => ({ address: from, pool: () => this.#pool(`${from} ${server}`) })));
  }

  #pool(key: string): PortPool {
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    if (this.#pools.size >= MANY_POOLS) this.#forgetIdle();
    const pool = new PortPool(this.#shared, this.#random);
    this.#pools.set(key, pool);
    return pool;
  }

  #forgetIdle(): void {
    for (const [key, pool] of this.#pools) if (pool.isIdle) this.#pools.delete(key);
    this.#turns.clear();
  }
}

interface SourceAddress {
  readonly address: string;
  pool(): PortPool;
}

/** One connection's way through addresses and ports. */
class Walk implements Departures {
  readonly #left: SourceAddress[];
  readonly #count: number;
  #missing = 0;
  #tries = 0;

  constructor(addresses: SourceAddress[]) {
    this.#left = addresses;
    this.#count = addresses.length;
  }

  get areAllMissing(): boolean {
    return this.#missing === this.#count;
  }

  next(): Departure | null {
    for (let from = this.#left[0]; from !== undefined; from = this.#left[0]) {
      const taken = this.#tries < TRIES_OF_ADDRESS ? from.pool().take() : null;
      this.#tries += 1;
      if (taken !== null) return { address: from.address, ...taken };
      this.#nextAddress();
    }
    return null;
  }

  skipAddress(): void {
    this.#missing += 1;
    this.#nextAddress();
  }

  #nextAddress(): void {
    this.#left.shift();
    this.#tries = 0;
  }
}
