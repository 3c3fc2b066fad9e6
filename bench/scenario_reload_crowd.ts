/**
 * The conductor's side of `scenario_reload_load.ts`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { within } from '../packages/proxy/test/kit/condition.ts';
import type { LivingLoad, LivingOrder, LivingReport, LivingWord } from './scenario_reload_load.ts';

const readyMs = 30_000;
const reportMs = 15_000;

/** Devices and visitors of one proxy. Disposing of it ends them, without a DISCONNECT. */
export class LivingCrowd implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise(resolve => child.once('exit', () => resolve()));
  }

  /** Resolves when all devices are connected, and publish. */
  static async start(load: LivingLoad): Promise<LivingCrowd> {
    const file = new URL('scenario_reload_load.ts', import.meta.url);
    const crowd = new LivingCrowd(fork(file, { execArgv: ['--import', 'tsx'] }));
    try {
      await crowd.#ask({ start: load }, readyMs);
      return crowd;
    } catch (error) {
      await crowd[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Nobody publishes nor visits any more. Devices stay connected. */
  async stop(): Promise<LivingReport> {
    const word = await this.#ask({ stop: true }, reportMs);
    if (!('report' in word)) throw new Error('the devices have no report');
    return word.report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #ask(order: LivingOrder, timeoutMs: number): Promise<LivingWord> {
    const answer = new Promise<LivingWord>((resolve, reject) => {
      this.#child.once('message', word => resolve(word as LivingWord));
      this.#child.once('exit', code => reject(new Error(`the devices ended (${code}); their last words are above`)));
    });
    answer.catch(() => undefined);
    this.#child.send(order);
    return within(answer, { what: 'an answer of the devices', timeoutMs });
  }
}
