import type { Log } from '../../log.ts';

const EVERY_MS = 60_000;

/** Tells of wrong passwords, once a minute however many there are. Not what was typed: it may be a password in the wrong field. */
export class FailureLog {
  readonly #log: Pick<Log, 'warn'>;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(log: Pick<Log, 'warn'>) {
    this.#log = log;
  }

  failed(source: string, nowMs: number = performance.now()): void {
    this.#untold += 1;
    if (nowMs - this.#toldAtMs < EVERY_MS) return;
    const fields = { source, failures: this.#untold };
    this.#log.warn('stats_auth_failed', fields, `wrong user name or password on the stats page, last from ${source}`);
    this.#toldAtMs = nowMs;
    this.#untold = 0;
  }
}
