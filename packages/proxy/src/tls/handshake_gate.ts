/** A handshake that wants to begin. */
export interface Candidate {
  /** Begins. Called once, later or at once, unless it has left before. */
  begin(): void;
}

export interface GateLimits {
  /** Handshakes under way at once. */
  readonly most: number;
  /** How many more may wait. */
  readonly queue: number;
}

/**
 * What handshakes may cost in one turn of the event loop, milliseconds: then clients that are already served have their turn,
 * and the next handshakes wait for the one after that. One of RSA takes a millisecond or more, one of ECDSA a fraction.
 */
const TURN_MS = 3;

/**
 * Lets a bounded number of handshakes of a worker begin, so that a fleet that comes back all at once takes turns with the
 * clients that are served. Whoever asks has its whole first message there: connections that say nothing hold no place.
 */
export class HandshakeGate {
  #limits: GateLimits;
  readonly #inside = new Set<Candidate>();
  readonly #waiting = new Set<Candidate>();
  #turnStartMs: number | null = null;
  #isBeginning = false;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** From now on with these limits; those who wait keep waiting. */
  reconfigure(limits: GateLimits): void {
    this.#limits = limits;
    this.#next();
  }

  /** Handshakes under way, and those that wait. */
  get counts(): { readonly inside: number; readonly waiting: number } {
    return { inside: this.#inside.size, waiting: this.#waiting.size };
  }

  /** First come, first served. False: too many wait already. */
  enter(candidate: Candidate): boolean {
    const isFull = this.#inside.size + this.#waiting.size >= this.#limits.most + this.#limits.queue;
    if (isFull) return false;
    this.#waiting.add(candidate);
    this.#next();
    return true;
  }

  /** It is done, it has given up, or it waits for its client: somebody else may begin. May be called twice. */
  leave(candidate: Candidate): void {
    this.#waiting.delete(candidate);
    if (this.#inside.delete(candidate)) this.#next();
  }

  #next(): void {
    if (this.#isBeginning || this.#inside.size >= this.#limits.most) return;
    const [candidate] = this.#waiting;
    if (candidate === undefined) return;
    const nowMs = performance.now();
    this.#turnStartMs ??= this.#startTurn(nowMs);
    if (nowMs - this.#turnStartMs >= TURN_MS) return;
    this.#waiting.delete(candidate);
    this.#inside.add(candidate);
    this.#isBeginning = true;
    candidate.begin();
    // Node reads the first message of a new TLS socket in a tick of its own, which is before this one.
    process.nextTick(() => {
      this.#isBeginning = false;
      this.#next();
    });
  }

  /** The next turn begins when all sockets have been looked at once. */
  #startTurn(nowMs: number): number {
    setImmediate(() => {
      this.#turnStartMs = null;
      this.#next();
    });
    return nowMs;
  }
}
