import type { ConnectError } from './session_facts.ts';

const MOST = 100;
/** Of one worker in a second: a flood must not cost the primary what it costs the flood. */
const MOST_A_SECOND = 10;

/** The last malformed CONNECTs, in the primary. */
export class ErrorRing {
  #errors: ConnectError[] = [];

  add(error: ConnectError): void {
    this.#errors.push(error);
    if (this.#errors.length > MOST) this.#errors.shift();
  }

  /** Newest first, 100 at most. */
  list(): readonly ConnectError[] {
    return this.#errors.toReversed();
  }
}

/** What a worker tells of its malformed CONNECTs: the first ten of each second. All are counted, and logged as refusals. */
export class ErrorGate {
  #second = 0;
  #told = 0;

  /** `nowMs`: monotonic. */
  pass(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) this.#told = 0;
    this.#second = second;
    this.#told += 1;
    return this.#told <= MOST_A_SECOND;
  }
}
