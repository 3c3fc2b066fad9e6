import type { Socket } from 'node:net';
import { TimerWheel } from '../../clock.ts';
import type { TlsBindConfig } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import { PrereadPool } from '../../preread_pool.ts';
import { acceptTls } from '../../tls/accept_tls.ts';
import { createTlsContexts, type TlsContexts } from '../../tls/contexts.ts';
import { HandshakeGate } from '../../tls/handshake_gate.ts';
import { TicketKeys } from '../../tls/tickets.ts';

const HANDSHAKE_MS = 10_000;
/** Until those that were refused have read why. */
const LAST_WORD_MS = 2_000;
/** 64 connections at most, and a ClientHello of 32 KiB each. */
const HELLOS_BYTES = 2_097_152;
const AT_ONCE = 8;
const QUEUE = 64;

/** TLS in front of HTTP, as on binds: the same certificates, checks of clients, and reload when files change. */
export class SecureDoor {
  readonly #contexts: TlsContexts;
  readonly #wheel = new TimerWheel();
  readonly #gate = new HandshakeGate({ most: AT_ONCE, queue: QUEUE });
  readonly #pool = new PrereadPool(HELLOS_BYTES);

  private constructor(contexts: TlsContexts) {
    this.#contexts = contexts;
  }

  /** @throws LimpetError TLS_* */
  static async open(config: TlsBindConfig, log: Log): Promise<SecureDoor> {
    return new SecureDoor(await createTlsContexts(config, new TicketKeys(), log));
  }

  /** The stream inside, or null: the handshake failed, and the socket closes by itself. */
  async enter(socket: Socket): Promise<Socket | null> {
    const accepting = acceptTls(socket, this.#contexts, {
      acceptedAtMs: performance.now(),
      handshakeMs: HANDSHAKE_MS,
      ...{ wheel: this.#wheel, gate: this.#gate, pool: this.#pool },
    });
    const accepted = await accepting.result;
    if (accepted.kind !== 'open') return null;
    return accepted.socket;
  }

  /** Handshakes that are under way may still end, well or at their deadline. */
  close(): void {
    this.#contexts.close();
    setTimeout(() => this.#wheel.close(), HANDSHAKE_MS + LAST_WORD_MS).unref();
  }
}
