/** A worker, as the gate needs it. */
interface Asker {
  readonly id: number;
}

/**
 * Between the listening sockets and the workers that ask for them. While it is shut, nobody of this process begins to
 * accept: what comes waits in the kernel's backlog, for the process that accepts before this one or behind it.
 */
export class UpgradeGate<Worker extends Asker> {
  readonly #send: (worker: Worker, index: number) => void;
  /** worker → the sockets that it has asked for. */
  readonly #asked = new Map<number, { readonly worker: Worker; readonly sockets: Set<number> }>();
  #isOpen: boolean;
  #onAsked: () => void = () => {};

  constructor(isOpen: boolean, send: (worker: Worker, index: number) => void) {
    this.#isOpen = isOpen;
    this.#send = send;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  ask(worker: Worker, index: number): void {
    if (this.#isOpen) {
      this.#send(worker, index);
      return;
    }
    const asked = this.#asked.get(worker.id) ?? { worker, sockets: new Set<number>() };
    this.#asked.set(worker.id, asked);
    asked.sockets.add(index);
    this.#onAsked();
  }

  workerGone({ id }: Asker): void {
    this.#asked.delete(id);
  }

  shut(): void {
    this.#isOpen = false;
  }

  /** Everybody gets what it has asked for meanwhile. */
  open(): void {
    this.#isOpen = true;
    for (const { worker, sockets } of this.#asked.values()) for (const index of sockets) this.#send(worker, index);
    this.#asked.clear();
  }

  /** Resolves when every worker lacks nothing but its sockets. `wanted`: who wants which, asked anew each time. */
  prepared(wanted: () => ReadonlyMap<number, readonly number[]>): Promise<void> {
    return new Promise(resolve => {
      this.#onAsked = () => {
        const isMissing = [...wanted()].some(([id, sockets]) => {
          const asked = this.#asked.get(id)?.sockets;
          return sockets.some(index => asked?.has(index) !== true);
        });
        if (!isMissing) resolve();
      };
    });
  }
}

/** Hears from workers that they have done what all were told to do. One question at a time. */
export class Chorus {
  #waitsFor = new Set<number>();
  #done: () => void = () => {};

  /** Resolves when each of them has answered, or is gone. */
  wait(workers: readonly Asker[]): Promise<void> {
    this.#waitsFor = new Set(workers.map(({ id }) => id));
    if (this.#waitsFor.size === 0) return Promise.resolve();
    return new Promise(resolve => {
      this.#done = resolve;
    });
  }

  answered({ id }: Asker): void {
    if (this.#waitsFor.delete(id) && this.#waitsFor.size === 0) this.#done();
  }
}
