/**
 * A Limpet that is upgraded: one process after the other, all writing to one log.
 */
import { until } from './condition.ts';
import type { Limpet, LogEvent } from './limpet.ts';
import { childrenOf, isAlive } from './proc.ts';

/** Disposing of it ends all processes that came after the first one, which is the Limpet's. */
export class Heirs implements AsyncDisposable {
  readonly #limpet: Limpet;

  constructor(limpet: Limpet) {
    this.#limpet = limpet;
  }

  /** The process that serves. */
  get pid(): number {
    return this.#pids('ready').at(-1) ?? this.#limpet.process.pid;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** SIGUSR2; resolves to the line of the old process, when the new one has said that it is ready. */
  async upgrade(): Promise<LogEvent> {
    const before = this.lines('upgraded').length;
    const ready = this.lines('ready').length;
    this.signal('SIGUSR2');
    return await this.#limpet.process.waitUntil(
      'an upgrade',
      () => this.lines('ready').length > ready && this.lines('upgraded')[before],
      90_000,
    );
  }

  /** SIGUSR2, of which nothing comes; resolves to the reason. */
  async fail(): Promise<string> {
    const before = this.lines('upgrade_failed').length;
    this.signal('SIGUSR2');
    const line = (): LogEvent | undefined => this.lines('upgrade_failed')[before];
    const { reason } = await this.#limpet.process.waitUntil('a failed upgrade', line, 90_000);
    return String(reason);
  }

  lines(word: string): LogEvent[] {
    return this.#limpet.events(({ event }) => event === word);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const heirs = this.#pids('upgrade').filter(isAlive);
    const all = [...heirs, ...heirs.flatMap(childrenOf)];
    for (const pid of heirs) process.kill(pid, 'SIGKILL');
    await until(() => !all.some(isAlive), { what: 'the end of all processes of an upgrade' });
  }

  #pids(word: string): number[] {
    return this.lines(word).map(({ pid, successor_pid: successor }) => Number(word === 'ready' ? pid : successor));
  }
}
