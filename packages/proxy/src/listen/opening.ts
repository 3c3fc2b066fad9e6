/** Whether a listener listens: those who wait for the first time that it does are told by `done`. */
export class Opening {
  /** Resolves when it has listened for the first time, or is closed before; rejects where it could not at first. */
  readonly done: Promise<void>;
  readonly #failedLater: (error: unknown) => void;
  #waiting: { resolve(): void; reject(error: unknown): void } | null = null;

  /** `failedLater`: hears of all failures but one that `done` has told of. */
  constructor(failedLater: (error: unknown) => void) {
    this.#failedLater = failedLater;
    this.done = new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** It listens, or need not any more. May be called twice. */
  settle(): void {
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  fail(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#failedLater(error);
    else waiting.reject(error);
  }
}
