import type { WorkersPorts } from './local_ports.ts';

/** A port for one connection. */
export interface TakenPort {
  readonly port: number;
  /** It is free again. Called once. */
  release(): void;
}

/** The free ports of one source address towards one server, of this worker; when they are out, those of the others. */
export class PortPool {
  readonly #own: PortRing;
  readonly #others: readonly number[];
  readonly #random: () => number;
  /** Made when the first one is borrowed. */
  #borrowed: PortRing | null = null;
  #taken = 0;

  constructor({ own, others }: WorkersPorts, random: () => number) {
    this.#own = new PortRing(own, random);
    this.#others = others;
    this.#random = random;
  }

  /** Connections hold none of its ports. */
  get isIdle(): boolean {
    return this.#taken === 0;
  }

  /** It may be in use by others, which only the kernel knows. Null: all are taken here. */
  take(): TakenPort | null {
    if (this.#own.free > 0) return this.#from(this.#own);
    this.#borrowed ??= new PortRing(this.#others, this.#random);
    return this.#from(this.#borrowed);
  }

  #from(ring: PortRing): TakenPort | null {
    const port = ring.take();
    if (port === null) return null;
    this.#taken += 1;
    const release = (): void => {
      this.#taken -= 1;
      ring.give(port);
    };
    return { port, release };
  }
}

/**
 * Free ports. The one that has been free for longest is taken first: its
 * TIME_WAIT has had the most time to end. They begin in a random order, so that the process before this one (in an
 * upgrade) and this one, which know nothing of each other, seldom want the same.
 */
export class PortRing {
  readonly #ports: Uint16Array;
  #head = 0;
  #free: number;

  /** `random` answers 0 to below 1. */
  constructor(ports: readonly number[], random: () => number) {
    this.#ports = Uint16Array.from(ports);
    this.#free = ports.length;
    for (let index = ports.length - 1; index > 0; index -= 1) this.#swap(index, Math.floor(random() * (index + 1)));
  }

  /** How many are free. */
  get free(): number {
    return this.#free;
  }

  /** Null: all are taken. */
  take(): number | null {
    if (this.#free === 0) return null;
    const port = this.#ports[this.#head] ?? null;
    this.#head = (this.#head + 1) % this.#ports.length;
    this.#free -= 1;
    return port;
  }

  /** Of one that was taken here, once: it is the last one to be taken again. */
  give(port: number): void {
    this.#ports[(this.#head + this.#free) % this.#ports.length] = port;
    this.#free += 1;
  }

  #swap(a: number, b: number): void {
    const held = this.#ports[a] ?? 0;
    this.#ports[a] = this.#ports[b] ?? 0;
    this.#ports[b] = held;
  }
}
