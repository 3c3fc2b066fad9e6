import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const LOOK_MS = 2000;
/** An idle process makes less garbage than this between two looks. */
const CALM_BYTES = 512 * 1024;
const CALM_LOOKS = 3;
/** Less is not worth a collection. */
const GROWN_BYTES = 4 * 1024 * 1024;
/** A collection stops JavaScript for about a millisecond for each of these megabytes; a larger heap is left to V8. */
const LARGEST_BYTES = 64 * 1024 * 1024;
/** V8 keeps pages that one collection has emptied, in case; it gives them back after some in a row. */
const ROUNDS = 5;
/** What an idle process may keep beyond what it uses. */
const SPARE_BYTES = 4 * 1024 * 1024;

export interface Heap {
  /** Bytes that are in use, garbage too, and bytes that V8 has taken of the system. */
  look(): { readonly used: number; readonly taken: number };
  collect(): Promise<void>;
}

/**
 * Gives memory back after a storm of clients. V8 collects when it needs room, so a process that has become idle keeps what
 * the storm left: 1 to 3 KB for each client that came, more than one that is there needs. Once a heap has grown by 4 MB and
 * has been calm for 6 s it is collected every 2 s, at most five times.
 */
export class HeapRest {
  readonly #heap: Heap;
  readonly #timer: NodeJS.Timeout;
  #used = 0;
  #calmLooks = 0;
  /** What it had taken when it was last collected. */
  #rested = 0;
  #roundsLeft = 0;

  constructor(heap: Heap = processHeap()) {
    this.#heap = heap;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { used, taken } = this.#heap.look();
    const isCalm = Math.abs(used - this.#used) < CALM_BYTES;
    this.#used = used;
    this.#calmLooks = isCalm ? this.#calmLooks + 1 : 0;
    this.#rested = Math.min(this.#rested, taken);
    if (this.#calmLooks < CALM_LOOKS || taken > LARGEST_BYTES) return;
    if (taken - this.#rested >= GROWN_BYTES) this.#roundsLeft = ROUNDS;
    if (this.#roundsLeft === 0) return;
    this.#roundsLeft -= 1;
    this.#rested = taken;
    await this.#heap.collect();
    const left = this.#heap.look();
    this.#used = left.used;
    this.#rested = left.taken;
    if (left.taken - left.used < SPARE_BYTES) this.#roundsLeft = 0;
  }
}

/** V8 shows its collector under a flag only, which a context of its own takes notice of; ours stays without it. */
export function processHeap(): Heap {
  setFlagsFromString('--expose-gc');
  const collect: (options: object) => Promise<void> = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return {
    look: () => {
      const { used_heap_size: used, total_heap_size: taken } = getHeapStatistics();
      return { used, taken };
    },
    // From a task of its own: nothing is on the stack then that would be kept for that.
    collect: () => collect({ type: 'major', execution: 'async' }),
  };
}
