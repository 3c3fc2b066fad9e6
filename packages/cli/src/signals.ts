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

/** HAProxy's signals for reload and soft stop, and what a closed terminal sends. */
const OTHER_SIGNALS = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * Signals that this release has no answer to. Without a listener SIGHUP and SIGUSR2 would end the process at once, and
 * SIGUSR1 would open Node's debugger, which anybody on this host could use.
 */
export class OtherSignals implements Disposable {
  #tell: (signal: string) => void = () => {};
  readonly #listener = (signal: string): void => this.#tell(signal);

  constructor() {
    for (const signal of OTHER_SIGNALS) process.on(signal, this.#listener);
  }

  /** From now on somebody is told of them. */
  tell(listener: (signal: string) => void): void {
    this.#tell = listener;
  }

  [Symbol.dispose](): void {
    for (const signal of OTHER_SIGNALS) process.off(signal, this.#listener);
  }
}
