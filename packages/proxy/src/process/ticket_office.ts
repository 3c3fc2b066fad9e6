import type { RedisConnection } from '@limpet/state';
import type { Config } from '../config/resolved.ts';
import type { Log } from '../log.ts';
import { LocalRing, type TicketRing } from '../tls/local_ring.ts';
import { SharedRing } from '../tls/shared_ring.ts';
import { type TicketKey, writeRing } from '../tls/ticket_ring.ts';
import type { ToWorker } from './wire.ts';

/** What decides about the ring of keys. Another one: another ring. */
interface Terms {
  readonly secret: string | null;
  readonly rotateMs: number;
}

/**
 * The keys of TLS session tickets, in the primary: its own, or those in Redis that all proxies share. Where no bind has
 * TLS there are none.
 */
export class TicketOffice {
  readonly #connection: RedisConnection | null;
  readonly #log: Log;
  readonly #tellAll: (message: ToWorker) => void;
  #terms: Terms | null = null;
  #ring: TicketRing | null = null;
  /** Of the process before this one. */
  #inherited: readonly TicketKey[] = [];

  /** `connection`: to the shared state; null where there is none. */
  constructor(connection: RedisConnection | null, log: Log, tellAll: (message: ToWorker) => void) {
    this.#connection = connection;
    this.#log = log;
    this.#tellAll = tellAll;
  }

  /**
   * Takes a configuration over, also the first one. Resolves when the keys are in hand. Another time of rotation keeps the
   * keys that there are; another secret makes a new ring, and each client pays one full handshake.
   */
  async reconfigure({ global, frontends }: Config): Promise<void> {
    const hasTls = frontends.some(({ binds }) => binds.some(({ tls }) => tls !== null));
    const { ticketSecret: secret, ticketRotateMs: rotateMs } = global.tls;
    const isSame = this.#terms?.secret === secret && this.#terms.rotateMs === rotateMs;
    // A ring that nobody needs any more costs nothing, and is there when TLS comes back.
    if (!hasTls || isSame) return;
    const keys = this.#terms?.secret === secret ? (this.#ring?.keys ?? []) : this.#inherited;
    this.#inherited = [];
    this.#terms = { secret, rotateMs };
    const before = this.#ring;
    this.#ring = await this.#begin(this.#terms, keys);
    before?.close();
  }

  /** Keys of the process that this one replaces: a ring of this proxy's own begins with them. */
  inherit(keys: readonly TicketKey[]): void {
    this.#inherited = keys;
  }

  /** Newest first. */
  get keys(): readonly TicketKey[] {
    return this.#ring?.keys ?? [];
  }

  /** Tells one worker, which has just begun, what all know. */
  tell(say: (message: ToWorker) => void): void {
    if (this.#ring !== null) say(['tickets', writeRing(this.#ring.keys)]);
  }

  stop(): void {
    this.#ring?.close();
  }

  async #begin({ secret, rotateMs }: Terms, keys: readonly TicketKey[]): Promise<TicketRing> {
    const tell = (ring: readonly TicketKey[]): void => this.#tellAll(['tickets', writeRing(ring)]);
    const connection = this.#connection;
    if (connection === null || secret === null) return new LocalRing(rotateMs, tell, keys);
    return await SharedRing.start({ connection, secret, rotateMs, log: this.#log, tell });
  }
}
