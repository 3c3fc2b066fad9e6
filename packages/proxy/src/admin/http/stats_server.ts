import type { StatsConfig } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import type { Control } from '../control.ts';
import { type HttpListener, listenHttp } from './http_listener.ts';
import { SecureDoor } from './secure_door.ts';
import { Site } from './site.ts';

/** The HTTP side that runs: page, CSV, metrics, health, JSON API. */
export interface StatsServer {
  /** Where it listens: `127.0.0.1:8888`, brackets around IPv6. */
  readonly listening: string;
  /** Goes over to another configuration; connections stay, where the address does. @throws LimpetError; then all is as it was */
  reconfigure(config: StatsConfig): Promise<void>;
  /** Ends streams and connections, within a second. */
  close(): Promise<void>;
}

/** @throws LimpetError STATS_BIND, TLS_* */
export async function startStats(config: StatsConfig, control: Control, log: Log): Promise<StatsServer> {
  const running = new RunningStats(config, control, log);
  await running.start();
  return running;
}

class RunningStats implements StatsServer {
  readonly #log: Log;
  readonly #site: Site;
  #config: StatsConfig;
  #server: HttpListener | null = null;
  #door: SecureDoor | null = null;

  constructor(config: StatsConfig, control: Control, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#site = new Site(config, control, log);
  }

  async start(): Promise<void> {
    this.#door = await this.#doorOf(this.#config);
    try {
      this.#server = await this.#listen(this.#config);
    } catch (error) {
      this.#door?.close();
      throw error;
    }
  }

  get listening(): string {
    const { host, port } = this.#server ?? this.#config;
    return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  async reconfigure(config: StatsConfig): Promise<void> {
    const before = this.#config;
    const isSameTls = JSON.stringify(config.tls) === JSON.stringify(before.tls);
    const door = isSameTls ? this.#door : await this.#doorOf(config);
    if (config.host !== before.host || config.port !== before.port) {
      try {
        await this.#move(config, before);
      } catch (error) {
        if (!isSameTls) door?.close();
        throw error;
      }
    }
    if (!isSameTls) this.#door?.close();
    this.#door = door;
    this.#config = config;
    this.#site.reconfigure(config);
  }

  async close(): Promise<void> {
    this.#site.streams.endAll();
    const server = this.#server;
    this.#server = null;
    await server?.stop();
    this.#door?.close();
  }

  async #doorOf({ tls }: StatsConfig): Promise<SecureDoor | null> {
    return tls === null ? null : await SecureDoor.open(tls, this.#log);
  }

  /** The new place first. Where that overlaps the old one (`*` and 127.0.0.1, one port), the old one must go before. */
  async #move(to: StatsConfig, from: StatsConfig): Promise<void> {
    const old = this.#server;
    const port = old?.port ?? from.port;
    const overlaps = to.port === port;
    if (!overlaps) {
      this.#server = await this.#listen(to);
      void old?.stop();
      return;
    }
    const isStopped = old?.stop();
    try {
      this.#server = await this.#listen(to);
    } catch (error) {
      this.#server = await this.#listen({ ...from, port });
      throw error;
    } finally {
      await isStopped;
    }
  }

  #listen(config: StatsConfig): Promise<HttpListener> {
    return listenHttp(config, {
      serve: exchange => void this.#site.serve(exchange),
      enter: async socket => (this.#door === null ? socket : await this.#door.enter(socket)),
      onError: code => this.#log.warn('stats_failed', { error: code }),
    });
  }
}
