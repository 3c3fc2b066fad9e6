import type { Pin } from '@limpet/state';

/** The entries that live sessions of one worker hold in one table: what must be renewed there. */
export class Pins {
  readonly #pins = new Map<string, Pin>();

  /** A later session of the same key takes the place of the earlier one. */
  add(pin: Pin): void {
    this.#pins.set(pin.key, pin);
  }

  /** The session has ended; a successor's pin stays. */
  remove(pin: Pin): void {
    if (this.#pins.get(pin.key) === pin) this.#pins.delete(pin.key);
  }

  /** The table says that this key's session has a successor elsewhere. */
  forget(key: string): void {
    this.#pins.delete(key);
  }

  all(): Pin[] {
    return [...this.#pins.values()];
  }
}
