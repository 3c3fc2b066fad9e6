import { handleApi } from '../admin/api/handler.ts';
import type { Control } from '../admin/control.ts';
import { type StatsServer, startStats } from '../admin/http/stats_server.ts';
import { type RuntimeApi, startRuntimeApi } from '../admin/runtime/runtime_api.ts';
import type { Config, GlobalConfig, StatsConfig } from '../config/resolved.ts';
import type { Log } from '../log.ts';

/** Where a face really listens. */
export interface FaceAddress {
  readonly face: 'runtime_api' | 'stats';
  readonly address: string;
}

/** The ways in which an operator looks at the proxy: runtime API and HTTP. They all see one Control (P12). */
export class Faces {
  readonly #control: Control;
  readonly #log: Log;
  #runtime: RuntimeApi | null = null;
  #stats: StatsServer | null = null;

  constructor(control: Control, log: Log) {
    this.#control = control;
    this.#log = log;
  }

  /** @throws LimpetError where one cannot listen */
  async start({ runtimeApi, stats }: GlobalConfig): Promise<void> {
    this.#runtime = await startRuntimeApi(runtimeApi, this.#control, handleApi, this.#log);
    this.#stats = await this.#open(stats);
  }

  /** The new ones listen when this resolves; those that stay keep their connections. @throws LimpetError: all is as before */
  async prepare(next: Config, before: Config): Promise<{ commit(): void; abort(): void }> {
    await this.#reconfigure(next.global, before.global);
    return { commit() {}, abort: () => void this.#reconfigure(before.global, next.global).catch(() => {}) };
  }

  /** Closes what listens on a TCP port, which another process is to have; paths are taken over without that. */
  async releasePorts({ runtimeApi }: GlobalConfig): Promise<void> {
    // It listens no more at once; its connections have a second, which nobody waits for.
    void this.#stats?.close();
    this.#stats = null;
    await this.#runtime?.reconfigure(runtimeApi.filter(({ listen }) => listen.kind === 'unix'));
  }

  listening(): readonly FaceAddress[] {
    const runtime = this.#runtime?.listening ?? [];
    const stats = this.#stats === null ? [] : [this.#stats.listening];
    return [
      ...runtime.map(address => ({ face: 'runtime_api' as const, address })),
      ...stats.map(address => ({ face: 'stats' as const, address })),
    ];
  }

  async close(): Promise<void> {
    await Promise.all([this.#runtime?.close(), this.#stats?.close()]);
    this.#runtime = null;
    this.#stats = null;
  }

  async #reconfigure({ runtimeApi, stats }: GlobalConfig, before: GlobalConfig): Promise<void> {
    await this.#runtime?.reconfigure(runtimeApi);
    try {
      await this.#reconfigureStats(stats);
    } catch (error) {
      await this.#runtime?.reconfigure(before.runtimeApi);
      throw error;
    }
  }

  async #reconfigureStats(stats: StatsConfig | null): Promise<void> {
    if (stats !== null && this.#stats !== null) await this.#stats.reconfigure(stats);
    else if (stats !== null) this.#stats = await this.#open(stats);
    else {
      await this.#stats?.close();
      this.#stats = null;
    }
  }

  async #open(stats: StatsConfig | null): Promise<StatsServer | null> {
    return stats === null ? null : await startStats(stats, this.#control, this.#log);
  }
}
