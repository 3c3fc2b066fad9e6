/**
 * The proxies of one service.
 */
import { Belongings } from '../packages/proxy/test/kit/belongings.ts';
import { startHaproxy, startHaproxy64k } from './haproxy.ts';
import { startLimpet, startLimpetNode } from './limpet.ts';
import { startNginx } from './nginx.ts';
import type { Setup } from './service.ts';
import type { Target, TargetName } from './target.ts';

const start: Readonly<Record<TargetName, (setup: Setup) => Promise<Target>>> = {
  haproxy: startHaproxy,
  'haproxy-64k': startHaproxy64k,
  nginx: startNginx,
  limpet: startLimpet,
  'limpet-node': startLimpetNode,
};

/** Disposing of it ends them all. */
export class Fleet implements AsyncDisposable {
  readonly #setup: Setup;
  readonly #owned = new Belongings();
  readonly #running = new Map<TargetName, Target>();

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** Starts those that do not run yet, beside each other. @throws what the first one that failed has thrown */
  async start(names: readonly TargetName[]): Promise<void> {
    const missing = names.filter(name => !this.#running.has(name));
    const started = await Promise.allSettled(missing.map(name => this.startFresh(name)));
    for (const result of started) {
      if (result.status === 'fulfilled') this.#running.set(result.value.name, this.#owned.own(result.value));
    }
    const failed = started.find(result => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async get(name: TargetName): Promise<Target> {
    await this.start([name]);
    const target = this.#running.get(name);
    if (target === undefined) throw new Error(`${name} has told another name`);
    return target;
  }

  /** One more, which is the caller's. */
  async startFresh(name: TargetName): Promise<Target> {
    return start[name](this.#setup);
  }

  /** Their versions, by name. */
  versions(): ReadonlyMap<TargetName, string> {
    return new Map([...this.#running].map(([name, target]) => [name, target.version]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }
}
