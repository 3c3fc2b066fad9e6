import type { Pin } from '@limpet/state';

/** The entries that live sessions of one worker hold in one table: what must be renewed there. */
export class Pins {
  readonly #pins = new Map<string, Pin>();

  /** A later session of the same key takes the place of the earlier one. */
  add(pin: Pin): void {
    this.#pins.set(pin.key, pin);
  }

  /** The session has ended, or the table says that it has a successor elsewhere; a successor's pin here stays. */
  remove(pin: Pin): void {
    if (this.#pins.get(pin.key) === pin) this.#pins.delete(pin.key);
  }

  /** The one of a key; none here: undefined. */
  of(key: string): Pin | undefined {
    return this.#pins.get(key);
  }

  /**
   * All of them, `size` at a time. A batch is put together when it is asked for: whoever has left since the one before
   * is not in it, so that no renewal follows a release.
   */
  *batches(size: number): Generator<readonly Pin[]> {
    let batch: Pin[] = [];
    for (const pin of this.#pins.values()) {
      batch.push(pin);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }
}
