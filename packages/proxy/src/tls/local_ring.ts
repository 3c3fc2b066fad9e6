import { advanceRing, noticeMs, type TicketKey } from './ticket_ring.ts';

/** Who keeps the ticket keys of a proxy: its primary. Told at once, and at every change. */
export interface TicketRing {
  /** Newest first; never empty. */
  readonly keys: readonly TicketKey[];
  close(): void;
}

/** Looks so often within the notice of a key that it is never late. */
const LOOKS_PER_NOTICE = 3;

export function lookEveryMs(rotateMs: number): number {
  return Math.min(60_000, Math.max(10, noticeMs(rotateMs) / LOOKS_PER_NOTICE));
}

/** Ticket keys in the memory of this process: they rotate, and are gone with it. */
export class LocalRing implements TicketRing {
  readonly #rotateMs: number;
  readonly #tell: (keys: readonly TicketKey[]) => void;
  readonly #timer: NodeJS.Timeout;
  #keys: readonly TicketKey[];

  /** `keys`: those of a ring before it, which everybody has; none are told again before one changes. */
  constructor(rotateMs: number, tell: (keys: readonly TicketKey[]) => void, keys: readonly TicketKey[] = []) {
    this.#keys = keys;
    this.#rotateMs = rotateMs;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#advance(), lookEveryMs(rotateMs));
    this.#timer.unref();
    this.#advance();
  }

  get keys(): readonly TicketKey[] {
    return this.#keys;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #advance(): void {
    const next = advanceRing(this.#keys, Date.now(), this.#rotateMs);
    if (next === null) return;
    this.#keys = next;
    this.#tell(next);
  }
}
