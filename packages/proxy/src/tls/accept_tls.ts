import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Timer, TimerWheel } from '../clock.ts';
import type { PrereadPool } from '../preread_pool.ts';
import type { TlsFacts } from '../stages.ts';
import { plainAlert } from './alert.ts';
import type { ClientHello } from './client_hello.ts';
import type { TlsContexts } from './contexts.ts';
import { Handshake, type HandshakeEnd } from './handshake.ts';
import type { Candidate, HandshakeGate } from './handshake_gate.ts';
import { type HelloEnd, HelloReader } from './hello_reader.ts';

export type TlsFailure =
  /** `timeout.handshake` is over. */
  | 'handshake_timeout'
  /** Too many wait for a handshake already (`global.tls.handshake_queue`). */
  | 'handshake_queue_full'
  /** `global.preread_memory` is used up. */
  | 'memory'
  /** Versions, ciphers, or an alert of the client: see the detail. */
  | 'handshake_failed'
  | 'no_client_cert'
  | 'bad_client_cert'
  /** With `strict_sni`: a name that no certificate has, or none. */
  | 'unknown_sni'
  | 'no_alpn'
  /** Something else than TLS. */
  | 'not_tls'
  /** The client went away in the middle. */
  | 'closed'
  /** It came and went without a byte: a port check, not a client. */
  | 'silent'
  | 'cancelled';

/** When it failed, the socket is closed or closes by itself. */
export type TlsAccepted =
  | { readonly kind: 'open'; readonly socket: TLSSocket; readonly facts: TlsFacts }
  /** `detail` may hold a name that came from the client, of letters, digits, dots, hyphens and underscores only. */
  | { readonly kind: 'failed'; readonly reason: TlsFailure; readonly detail: string };

export interface AcceptTlsOptions {
  /** `performance.now()` at accept. */
  readonly acceptedAtMs: number;
  /** Deadline of the whole, from accept. */
  readonly handshakeMs: number;
  readonly wheel: TimerWheel;
  readonly gate: HandshakeGate;
  readonly pool: Pick<PrereadPool, 'reserve' | 'release'>;
}

/**
 * A handshake that takes longer waits for its client, which costs no more than an open connection: its place is for those
 * that want to compute. It goes on without one. So those that stop in the middle keep nobody waiting.
 */
const MAX_INSIDE_MS = 20;
/** How long a client that was refused may take to read why. */
const LINGER_MS = 1000;

/** An acceptance under way. */
export interface TlsAccepting {
  readonly result: Promise<TlsAccepted>;
  /** Ends it with a reset: the result is `cancelled`. Does nothing when there is a result already. */
  cancel(): void;
}

/**
 * Makes a TLS server's side of an accepted socket, which must be made with `allowHalfOpen` and not flow; bytes that are
 * in it already are taken. The TLS socket is open and paused, and keeps all these properties.
 *
 * First the whole ClientHello is waited for, which costs memory only; then a place among the handshakes under way; then it
 * is answered. The deadline counts from accept, so neither bytes that trickle nor waiting move it.
 */
export function acceptTls(socket: Socket, contexts: TlsContexts, options: AcceptTlsOptions): TlsAccepting {
  return new Accepting(socket, contexts, options);
}

class Accepting implements TlsAccepting, Candidate {
  readonly result: Promise<TlsAccepted>;
  readonly #socket: Socket;
  readonly #contexts: TlsContexts;
  readonly #options: AcceptTlsOptions;
  readonly #deadline: Timer;
  readonly #reader: HelloReader;
  /** Null: it is not whole yet. */
  #hello: ClientHello | null = null;
  #handshake: Handshake | null = null;
  #settle: ((accepted: TlsAccepted) => void) | null = null;

  constructor(socket: Socket, contexts: TlsContexts, options: AcceptTlsOptions) {
    this.#socket = socket;
    this.#contexts = contexts;
    this.#options = options;
    this.result = new Promise(resolve => {
      this.#settle = resolve;
    });
    // A reset is told by `close` as well, and by what it means here.
    socket.on('error', () => {});
    const leftMs = options.acceptedAtMs + options.handshakeMs - performance.now();
    this.#deadline = options.wheel.after(leftMs, () => this.#late());
    this.#reader = new HelloReader(socket, options.pool, end => this.#read(end));
    if (socket.destroyed) this.#fail('silent', '');
  }

  cancel(): void {
    this.#fail('cancelled', '');
    this.#reset();
  }

  /** The gate lets it begin. */
  begin(): void {
    const sni = this.#hello?.sni ?? null;
    const context = this.#contexts.choose(sni);
    if (context === null) {
      // The certificate of that name was removed while it waited.
      this.#unknownName(sni);
      return;
    }
    this.#options.wheel.after(MAX_INSIDE_MS, () => this.#options.gate.leave(this));
    this.#handshake = new Handshake(this.#socket, context, this.#contexts.config, sni, end => this.#shaken(end));
    // Its first tick takes the bytes out of the socket.
    process.nextTick(() => this.#reader.release());
  }

  #read(end: HelloEnd): void {
    if (end.kind === 'hello') this.#queue(end.hello);
    else if (end.kind === 'closed') this.#gone(end.bytes === 0);
    else if (end.kind === 'memory') this.#refuse('memory', 'global.preread_memory is used up');
    else if (end.kind === 'stranger') this.#refuse('not_tls', end.detail);
    else this.#refuse('handshake_failed', end.detail, plainAlert('decode_error'));
  }

  #queue(hello: ClientHello): void {
    this.#hello = hello;
    if (this.#contexts.choose(hello.sni) === null) {
      this.#unknownName(hello.sni);
      return;
    }
    this.#socket.once('close', () => this.#handshake ?? this.#gone(false));
    if (!this.#options.gate.enter(this)) this.#refuse('handshake_queue_full', 'too many handshakes wait');
  }

  /** RFC 6066, 3. */
  #unknownName(sni: string | null): void {
    this.#refuse('unknown_sni', sni ?? 'no server name', plainAlert('unrecognized_name'));
  }

  #shaken(end: HandshakeEnd): void {
    if (end.kind === 'open') {
      this.#done({ kind: 'open', socket: end.socket, facts: end.facts });
      return;
    }
    this.#fail(end.reason, end.detail);
    this.#linger();
  }

  #late(): void {
    const isWaiting = this.#handshake === null && this.#hello !== null;
    this.#fail('handshake_timeout', isWaiting ? 'waited for its turn' : 'the client was too slow');
    this.#reset();
  }

  #gone(isSilent: boolean): void {
    this.#fail(isSilent ? 'silent' : 'closed', isSilent ? '' : 'closed by the client');
    this.#socket.destroy();
  }

  /** Before any handshake: with an alert where it would be understood. */
  #refuse(reason: TlsFailure, detail: string, alert: Buffer | null = null): void {
    this.#fail(reason, detail);
    if (alert !== null) this.#socket.write(alert);
    this.#linger();
  }

  #fail(reason: TlsFailure, detail: string): void {
    this.#done({ kind: 'failed', reason, detail });
  }

  #done(accepted: TlsAccepted): void {
    const settle = this.#settle;
    if (settle === null) return;
    this.#settle = null;
    this.#deadline.cancel();
    this.#reader.cancel();
    this.#handshake?.cancel();
    this.#options.gate.leave(this);
    settle(accepted);
  }

  /**
   * Sends FIN behind the alert, and reads on for a moment: a client's bytes that nobody reads would make it a reset, and
   * the alert might be lost.
   */
  #linger(): void {
    const upper: Socket = this.#handshake?.socket ?? this.#socket;
    upper.on('error', () => {});
    upper.resume();
    upper.once('end', () => this.#socket.destroy());
    this.#socket.end();
    this.#options.wheel.after(LINGER_MS, () => this.#socket.destroy());
  }

  #reset(): void {
    if (!this.#socket.destroyed) this.#socket.resetAndDestroy();
  }
}
