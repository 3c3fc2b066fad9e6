import { connectRedis, type RedisConnection } from '@limpet/state';
import type { Config } from '../config/resolved.ts';
import type { Log } from '../log.ts';
import { LocalRing, type TicketRing } from '../tls/local_ring.ts';
import { SharedRing } from '../tls/shared_ring.ts';
import { type TicketKey, writeRing } from '../tls/ticket_ring.ts';
import type { ToWorker } from './wire.ts';

/**
 * The keys of TLS session tickets, in the primary: its own, or those in Redis that all proxies share. Where no bind has
 * TLS there are none.
 */
export class TicketOffice {
  readonly #config: Config;
  readonly #log: Log;
  readonly #tellAll: (message: ToWorker) => void;
  #connection: RedisConnection | null = null;
  #ring: TicketRing | null = null;

  constructor(config: Config, log: Log, tellAll: (message: ToWorker) => void) {
    this.#config = config;
    this.#log = log;
    this.#tellAll = tellAll;
  }

  async start(): Promise<void> {
    const { global, state, frontends } = this.#config;
    if (!frontends.some(({ binds }) => binds.some(({ tls }) => tls !== null))) return;
    const { ticketSecret: secret, ticketRotateMs: rotateMs } = global.tls;
    const tell = (keys: readonly TicketKey[]): void => this.#tellAll(['tickets', writeRing(keys)]);
    if (state.store === 'memory' || secret === null) {
      this.#ring = new LocalRing(rotateMs, tell);
      return;
    }
    this.#connection = connectRedis({ ...state.redis, name: `limpet-${global.name}-tickets` });
    this.#ring = await SharedRing.start({ connection: this.#connection, secret, rotateMs, log: this.#log, tell });
  }

  /** Tells one worker, which has just begun, what all know. */
  tell(say: (message: ToWorker) => void): void {
    if (this.#ring !== null) say(['tickets', writeRing(this.#ring.keys)]);
  }

  async stop(): Promise<void> {
    this.#ring?.close();
    await this.#connection?.close();
  }
}
