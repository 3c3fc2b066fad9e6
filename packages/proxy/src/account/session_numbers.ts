/** Sessions of a page: a power of two. Small, for one session that stays for months keeps its whole page. */
const PAGE = 64;

/** The highest number that two bytes hold. */
const NARROW = 0xffff;

interface Page {
  /** Wider from the first number on that needs it. */
  numbers: Uint16Array | Uint32Array;
  /** How many of them are not 0. */
  used: number;
}

/**
 * A small number (from 1 on) for each session of one worker, in some 6 bytes a session (up to 65,535) where a Map takes 45: a
 * worker counts its sessions up, so those that are there now stand close together. Nothing is ever copied to grow.
 */
export class SessionNumbers {
  readonly #pages = new Map<number, Page>();
  #size = 0;

  /** Sessions that have one. */
  get size(): number {
    return this.#size;
  }

  /** 0: it has none. */
  get(session: number): number {
    return this.#pages.get(Math.floor(session / PAGE))?.numbers[session % PAGE] ?? 0;
  }

  set(session: number, number: number): void {
    const at = Math.floor(session / PAGE);
    let page = this.#pages.get(at);
    if (page === undefined) {
      page = { numbers: new Uint16Array(PAGE), used: 0 };
      this.#pages.set(at, page);
    }
    if (number > NARROW && page.numbers instanceof Uint16Array) page.numbers = Uint32Array.from(page.numbers);
    if (page.numbers[session % PAGE] === 0) {
      page.used += 1;
      this.#size += 1;
    }
    page.numbers[session % PAGE] = number;
  }

  /** Answers what it had; 0: nothing. */
  take(session: number): number {
    const at = Math.floor(session / PAGE);
    const page = this.#pages.get(at);
    const number = page?.numbers[session % PAGE] ?? 0;
    if (page === undefined || number === 0) return 0;
    page.numbers[session % PAGE] = 0;
    page.used -= 1;
    this.#size -= 1;
    if (page.used === 0) this.#pages.delete(at);
    return number;
  }

  /** The numbers of all sessions, in no order. */
  *values(): Generator<number> {
    for (const { numbers } of this.#pages.values()) for (const number of numbers) if (number !== 0) yield number;
  }
}
