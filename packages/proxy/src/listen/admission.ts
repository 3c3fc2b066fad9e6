import type { Places } from './descriptors.ts';

/** The primary, as a worker's admission needs it. */
export interface Lessor {
  /** Asks for more; the answer comes later, by granted(). */
  lease(count: number): void;
  /** Gives back what is not needed. */
  unlease(count: number): void;
}

/** `most` and `over`: what this process has descriptors for. No other one could serve those that it has accepted by then. */
export interface AdmissionLimits extends Places {
  /** How many connections are leased at once. */
  readonly block: number;
}

/**
 * A worker's share of `global.maxconn`. Connections are leased from the primary in blocks, so that all workers together
 * never have more than the limit, and no connection waits for a word of the primary while its worker has one left.
 */
export class Admission {
  readonly #lessor: Lessor;
  #limits: AdmissionLimits;
  /** Leased, used or not. Fewer than are used where some had come before there was a limit. */
  #leased = 0;
  #used: number;
  #asked = false;
  #refused = false;
  /** Others wait for what this worker does not use. Until it has to ask for more itself. */
  #recalled = false;
  #onRoom: () => void = () => {};

  /** `used`: connections that are there already, before there was a limit. */
  constructor(lessor: Lessor, limits: AdmissionLimits, used = 0) {
    this.#lessor = lessor;
    this.#limits = limits;
    this.#used = used;
  }

  /** From now on with these limits; what is leased stays. */
  reconfigure(limits: AdmissionLimits): void {
    this.#limits = limits;
    this.#tell();
  }

  get used(): number {
    return this.#used;
  }

  /** The process has as many as it can have; onRoom will tell when that is over. */
  get isFull(): boolean {
    return this.#used >= this.#limits.most;
  }

  /** How many more may enter without a word of the primary; 0 or less: none. */
  get room(): number {
    return Math.min(this.#leased, this.#limits.most) - this.#used;
  }

  /** Called when there is room again after enter() said no, or took the last place that the process has. */
  onRoom(listener: () => void): void {
    this.#onRoom = listener;
  }

  /** Asks for the first block. */
  start(): void {
    this.#ask();
  }

  /** Asks for what is used already and for nothing beyond it: the other workers' connections count before new ones do. */
  catchUp(): void {
    if (this.#asked || this.#used <= this.#leased) return;
    this.#asked = true;
    this.#lessor.lease(this.#used - this.#leased);
  }

  /** One connection more. False: there is no room now, wait for onRoom. */
  enter(): boolean {
    const { most, over } = this.#limits;
    if (this.#used >= Math.min(this.#leased, most + over)) {
      this.#refused = true;
      this.#askIfShort();
      return false;
    }
    this.#used += 1;
    if (this.isFull) this.#refused = true;
    // Ask ahead, so that the next burst does not wait.
    else if (this.#leased - this.#used < this.#limits.block / 2) this.#ask();
    return true;
  }

  /** One connection more, above the limit if need be: it is there already, and this process accepts nobody behind it. */
  enterAnyway(): void {
    this.#used += 1;
  }

  leave(): void {
    this.#used -= 1;
    if (this.#recalled) this.#giveBackSpare();
    else if (this.#leased - this.#used > 2 * this.#limits.block) this.#giveBack(this.#limits.block);
    this.#tell();
  }

  granted(count: number): void {
    this.#asked = false;
    this.#recalled = false;
    this.#leased += count;
    this.catchUp();
    this.#tell();
  }

  /** Others wait: gives back everything that is not in use, now and whenever a connection ends. */
  recall(): void {
    this.#recalled = true;
    this.#giveBackSpare();
  }

  get #hasRoom(): boolean {
    return this.room > 0;
  }

  #giveBackSpare(): void {
    const spare = this.#leased - this.#used;
    if (spare > 0) this.#giveBack(spare);
  }

  #giveBack(count: number): void {
    this.#leased -= count;
    this.#lessor.unlease(count);
  }

  #tell(): void {
    if (!this.#refused) return;
    if (!this.#hasRoom) {
      this.#askIfShort();
      return;
    }
    this.#refused = false;
    this.#onRoom();
  }

  /** A process without descriptors is not helped by leases, and others may need them. */
  #askIfShort(): void {
    if (this.#used < this.#limits.most) this.#ask();
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#lessor.lease(this.#limits.block + Math.max(0, this.#used - this.#leased));
  }
}
