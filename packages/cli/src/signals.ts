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

const OTHER_SIGNALS = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
export type OtherSignal = (typeof OTHER_SIGNALS)[number];

/**
 * Signals that do not stop the proxy: SIGHUP reloads. Caught from the first moment, for without a listener SIGHUP and
 * SIGUSR2 would end the process at once, and SIGUSR1 would open Node's debugger, which anybody on this host could use.
 * One that comes before somebody listens is kept, once of each kind.
 */
export class OtherSignals implements Disposable {
  #tell: ((signal: OtherSignal) => void) | null = null;
  readonly #early = new Set<OtherSignal>();
  readonly #listener = (signal: NodeJS.Signals): void => {
    const other = signal as OtherSignal;
    if (this.#tell === null) this.#early.add(other);
    else this.#tell(other);
  };

  constructor() {
    for (const signal of OTHER_SIGNALS) process.on(signal, this.#listener);
  }

  /** From now on somebody is told of them. */
  tell(listener: (signal: OtherSignal) => void): void {
    this.#tell = listener;
    for (const signal of this.#early) listener(signal);
    this.#early.clear();
  }

  [Symbol.dispose](): void {
    for (const signal of OTHER_SIGNALS) process.off(signal, this.#listener);
  }
}
