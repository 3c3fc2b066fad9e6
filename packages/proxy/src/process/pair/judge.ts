import type { Config } from '../../config/resolved.ts';
import type { ServerStatus } from '../../route/scheduler.ts';
import { isThere, isUsable, type Judgement, judgeReady, Lack, pathOf } from './data_path.ts';
import type { PairMate } from './others.ts';

/** What a proxy knows when it is judged whether it is ready. */
export interface Evidence {
  /** As it is in use. */
  config(): Config;
  statuses(backend: string): readonly ServerStatus[];
  /** The proxies of the pair share what operators say of servers. */
  readonly isShared: boolean;
  isStopping(): boolean;
  /** One at least serves. */
  hasWorker(): boolean;
  /** Others behind the same virtual addresses; null: it cannot be known. Only asked where there is `global.vip`. */
  mates(): readonly PairMate[] | null;
}

/** Judges whether this proxy could be the active one. It remembers since when backends are missing. */
export class Judge {
  readonly #evidence: Evidence;
  readonly #lack: Lack = new Lack();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  judge(): Judgement {
    const { isShared } = this.#evidence;
    const config = this.#evidence.config();
    const { vip } = config.global;
    const course = { isStopping: this.#evidence.isStopping(), hasWorker: this.#evidence.hasWorker() };
    // Operators' words hold on all proxies that share the state: a move would help nobody.
    const counts = vip !== null && isShared ? isThere : isUsable;
    const path = pathOf(config, backend => this.#evidence.statuses(backend), course, counts);
    const forMs = this.#lack.forMs(path.missing, performance.now());
    return judgeReady(path, vip === null ? null : this.#evidence.mates(), forMs);
  }
}
