import type { StateError } from './state_error.ts';

/**
 * - `open`: Redis is not asked; the answers are local.
 * - `returning`: Redis answers again; what was decided meanwhile is being written, and claims are still local.
 * - `closed`: Redis is asked.
 */
export type CircuitState = 'open' | 'returning' | 'closed';

/** The connection, as the circuit sees it. It reconnects by itself, and says so by `connected` and `disconnected`. */
export interface CircuitLink {
  /** Resolves if Redis takes a write within the deadline; rejects with a StateError. */
  probe(): Promise<void>;
  /** Ends the connection at once, with all that waits on it. */
  drop(): void;
}

/** What an operator should hear of the shared state. Reasons hold no password. */
export interface CircuitListener {
  /** Redis is not asked from now on. Told once for each absence. */
  onAway(reason: StateError): void;
  /** Redis is asked again, and what was decided meanwhile is written. Now is the time to renew all live sessions. */
  onBack(awayMs: number): void;
  /** Redis reads but refuses to write (OOM). Told once, until a write has succeeded again. */
  onRefused(reason: StateError): void;
}

/** Somebody's unwritten decisions. A task may belong to several circuits, one for each server that has some of its keys. */
export interface ReturnTask {
  /** How many can be written now to the server of that circuit. */
  size(circuit: Circuit): number;
  /** Writes them. Never rejects; the circuit hears where Redis fails again. */
  drain(circuit: Circuit): Promise<void>;
}

/** A circuit as those see it who only ask whether Redis is there, and say how it answered. */
export interface SharedCircuit {
  readonly isClosed: boolean;
  /** True once Redis is asked for the first time; false if it turned out to be away before that. */
  readonly firstContact: Promise<boolean>;
  /** A command was answered. */
  succeeded(): void;
  /** A write was taken. */
  written(): void;
  /** A command failed. */
  failed(reason: StateError): void;
}

/** Deadlines missed in a row, with no answer between them, that open the circuit. */
const missesToOpen = 3;
const firstDelayMs = 50;
const longestDelayMs = 1000;
/** How often a returning circuit looks for late decisions. */
const lookAgainMs = 20;

/** The wait before the next attempt: doubled each time up to a second, and spread by a quarter either way. Pure. */
export function retryDelayMs(attempt: number, random: number): number {
  return Math.round(Math.min(firstDelayMs * 2 ** attempt, longestDelayMs) * (0.75 + random / 2));
}

/**
 * How long local answers go on after Redis is back. By then the other workers of this proxy have noticed, too: the waits
 * between attempts double, so nobody's next one is longer than twice the absence so far. So none of them asks Redis
 * before all have written what they decided, and a client that moved meanwhile is not sent back to where it was. Pure.
 */
export function settleMs(awayMs: number): number {
  return Math.min(awayMs * 2 + firstDelayMs * 2, longestDelayMs * 1.25);
}

/**
 * The circuit breaker of one connection, shared by all tables on it. It begins open, before the first contact. It opens at
 * once when the connection is lost or Redis refuses to serve, and after a few deadlines missed in a row; then it drops
 * the connection, so that a frozen Redis finds no more than the few commands that were already sent.
 */
export class Circuit implements SharedCircuit {
  readonly #link: CircuitLink;
  readonly #listener: CircuitListener;
  readonly #tasks = new Set<ReturnTask>();
  readonly #firstContact: Promise<boolean>;
  #tellFirstContact: (isThere: boolean) => void = () => {};
  #state: CircuitState = 'open';
  #openedAtMs = performance.now();
  #isAnnounced = false;
  #isRefusing = false;
  #missesInRow = 0;
  #attempts = 0;
  /** Which connection is spoken of; what an older one still says is not heard. */
  #generation = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * `awaySinceMs`: this server takes the place of one that has been away since then (`performance.now`), and everybody has
   * been told of that. So it comes back as that one would: only when all workers had the time to write what they decided.
   */
  constructor(link: CircuitLink, listener: CircuitListener, awaySinceMs: number | null = null) {
    this.#link = link;
    this.#listener = listener;
    this.#firstContact = new Promise(resolve => {
      this.#tellFirstContact = resolve;
    });
    if (awaySinceMs === null) return;
    this.#openedAtMs = awaySinceMs;
    this.#isAnnounced = true;
  }

  get state(): CircuitState {
    return this.#state;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** True once Redis is asked for the first time; false if it turned out to be away before that. */
  get firstContact(): Promise<boolean> {
    return this.#firstContact;
  }

  /** Since when Redis is not asked, on the clock of `performance.now`, and everybody was told; null: it is asked, or is new. */
  get awaySinceMs(): number | null {
    return this.#state === 'closed' || !this.#isAnnounced ? null : this.#openedAtMs;
  }

  /** Has its decisions written before the circuit closes again. Returns the way to leave. */
  register(task: ReturnTask): () => void {
    this.#tasks.add(task);
    return () => void this.#tasks.delete(task);
  }

  /** The wait before the next connection. */
  nextDelayMs(): number {
    return retryDelayMs(this.#attempts++, Math.random());
  }

  /** There is a new connection: asks whether Redis serves us on it, and comes back if so. */
  async connected(): Promise<void> {
    const generation = ++this.#generation;
    try {
      await this.#link.probe();
    } catch (error) {
      if (generation === this.#generation) this.#giveUp(error as StateError);
      return;
    }
    if (generation === this.#generation) await this.#comeBack(generation);
  }

  /** The connection is lost, or there was none to be had. */
  disconnected(reason: StateError): void {
    this.#generation++;
    this.#open(reason);
  }

  /** A command was answered. */
  succeeded(): void {
    this.#missesInRow = 0;
  }

  /** A write was taken. */
  written(): void {
    this.#isRefusing = false;
  }

  /** A command failed. What was sent before the circuit opened, and fails after it, is no news. */
  failed(reason: StateError): void {
    if (this.#state === 'open') return;
    if (reason.code === 'REDIS_ENTRY' || reason.code === 'REDIS_FULL' || reason.code === 'REDIS_MOVING') {
      this.#missesInRow = 0;
      if (reason.code === 'REDIS_FULL' && !this.#isRefusing) {
        this.#isRefusing = true;
        this.#listener.onRefused(reason);
      }
      return;
    }
    if (reason.code === 'REDIS_TIMEOUT' && this.#state === 'closed' && ++this.#missesInRow < missesToOpen) return;
    this.#giveUp(reason);
  }

  /** Ends all waiting. */
  close(): void {
    this.#generation++;
    this.#state = 'open';
    this.#isAnnounced = true;
    clearTimeout(this.#timer);
    this.#tellFirstContact(false);
  }

  #giveUp(reason: StateError): void {
    this.#generation++;
    this.#open(reason);
    this.#link.drop();
  }

  #open(reason: StateError): void {
    if (this.#state === 'closed') this.#openedAtMs = performance.now();
    this.#state = 'open';
    this.#missesInRow = 0;
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#tellFirstContact(false);
    this.#listener.onAway(reason);
  }

  async #comeBack(generation: number): Promise<void> {
    this.#state = 'returning';
    const untilMs = this.#isAnnounced ? performance.now() + settleMs(performance.now() - this.#openedAtMs) : 0;
    for (;;) {
      await Promise.all([...this.#tasks].map(task => task.drain(this)));
      if (generation !== this.#generation) return;
      const isDone = [...this.#tasks].every(task => task.size(this) === 0);
      if (isDone && performance.now() >= untilMs) break;
      await this.#pause();
      if (generation !== this.#generation) return;
    }
    this.#close();
  }

  #close(): void {
    const awayMs = Math.round(performance.now() - this.#openedAtMs);
    const wasAnnounced = this.#isAnnounced;
    this.#state = 'closed';
    this.#isAnnounced = false;
    this.#missesInRow = 0;
    this.#attempts = 0;
    this.#tellFirstContact(true);
    if (wasAnnounced) this.#listener.onBack(awayMs);
  }

  async #pause(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#timer = setTimeout(resolve, lookAgainMs).unref();
    });
  }
}
