const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * SIGINT and SIGTERM, from the moment this is made: the first one settles `first`, each one after it calls `onMore`.
 * Made when there is something to stop. Before that, and again after disposing, Node's own answer holds: the process
 * ends, and the workers with it.
 */
export class StopSignals implements Disposable {
  readonly first: Promise<void>;
  readonly #listener: () => void;

  constructor(onMore: () => void) {
    let settle: (() => void) | null = null;
    this.first = new Promise(resolve => {
      settle = resolve;
    });
    this.#listener = () => {
      if (settle === null) onMore();
      else settle();
      settle = null;
    };
    for (const signal of STOP_SIGNALS) process.on(signal, this.#listener);
  }

  [Symbol.dispose](): void {
    for (const signal of STOP_SIGNALS) process.off(signal, this.#listener);
  }
}
