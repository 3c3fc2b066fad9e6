/** A bind with TLS, as small as it can be: what comes out of acceptTls() is kept, and open connections are echoed. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TimerWheel } from '../../../src/clock.ts';
import type { TlsBindConfig } from '../../../src/config/resolved.ts';
import type { Endpoint } from '../../../src/endpoint.ts';
import type { Log } from '../../../src/log.ts';
import { PrereadPool } from '../../../src/preread_pool.ts';
import { acceptTls, type TlsAccepted } from '../../../src/tls/accept_tls.ts';
import { createTlsContexts, type TlsContexts } from '../../../src/tls/contexts.ts';
import { HandshakeGate } from '../../../src/tls/handshake_gate.ts';
import type { KeptCertificates } from '../../../src/tls/kept.ts';
import { TicketKeys } from '../../../src/tls/tickets.ts';
import { tlsEndpoint } from '../../../src/tls/tls_endpoint.ts';

/** The defaults of a bind with one bundle. */
export function bindConfig(given: Partial<TlsBindConfig> & Pick<TlsBindConfig, 'certs'>): TlsBindConfig {
  return {
    key: null,
    clientCa: null,
    verify: 'none',
    crl: null,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: null,
    curves: null,
    alpn: [],
    strictSni: false,
    ...given,
  };
}

export interface Said {
  readonly level: string;
  readonly event: string;
  readonly message: string;
}

/** A log that is kept. */
export function keptLog(): { readonly log: Log; readonly said: readonly Said[] } {
  const said: Said[] = [];
  const say = (level: string) => (event: string, _fields?: unknown, message?: string) => {
    said.push({ level, event, message: message ?? '' });
  };
  const levels = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  return { log: { ...levels, line() {}, format: 'json', reopen() {}, async flush() {} }, said };
}

export interface TlsServerOptions {
  readonly tickets?: TicketKeys;
  readonly handshakeMs?: number;
  readonly gate?: HandshakeGate;
  readonly poolBytes?: number;
  /** What another process has kept of the certificates. */
  readonly kept?: KeptCertificates | null;
  /** Bytes that are read and put back before TLS, as a PROXY header would be. */
  readonly peek?: boolean;
  /** What to do with an open connection. Default: everything is sent back, and its end too. */
  readonly serve?: (endpoint: Endpoint) => void;
}

export async function listenTls(config: TlsBindConfig, options: TlsServerOptions = {}): Promise<TlsServer> {
  const kept = keptLog();
  const tickets = options.tickets ?? new TicketKeys();
  const contexts = await createTlsContexts(config, tickets, kept.log, options.kept ?? null);
  const server = new TlsServer(contexts, kept.said, options);
  await server.listen();
  return server;
}

export class TlsServer implements AsyncDisposable {
  readonly contexts: TlsContexts;
  readonly said: readonly Said[];
  /** What became of each connection, in the order in which it was known. */
  readonly accepted: TlsAccepted[] = [];
  readonly gate: HandshakeGate;
  readonly pool: PrereadPool;
  port = 0;
  readonly #options: TlsServerOptions;
  readonly #wheel = new TimerWheel();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });

  constructor(contexts: TlsContexts, said: readonly Said[], options: TlsServerOptions) {
    this.contexts = contexts;
    this.said = said;
    this.#options = options;
    this.gate = options.gate ?? new HandshakeGate({ most: 64, queue: 10_000 });
    this.pool = new PrereadPool(options.poolBytes ?? 16_000_000);
    this.#server.on('connection', socket => this.#accept(socket));
  }

  async listen(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** The reasons of those that failed. */
  failures(): readonly { readonly reason: string; readonly detail: string }[] {
    return this.accepted.flatMap(one => (one.kind === 'failed' ? [{ reason: one.reason, detail: one.detail }] : []));
  }

  /** How many sockets are open. */
  get open(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.contexts.close();
    this.#wheel.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#options.peek === true) {
      socket.once('readable', () => {
        const bytes: Buffer | null = socket.read();
        if (bytes !== null) socket.unshift(bytes);
        this.#shake(socket);
      });
    } else this.#shake(socket);
  }

  #shake(socket: Socket): void {
    const { handshakeMs = 10_000, serve = echo } = this.#options;
    const { gate, pool } = this;
    const terms = { acceptedAtMs: performance.now(), handshakeMs, wheel: this.#wheel, gate, pool };
    void acceptTls(socket, this.contexts, terms).result.then(accepted => {
      this.accepted.push(accepted);
      if (accepted.kind === 'open') serve(tlsEndpoint(accepted.socket, socket));
    });
  }
}

function echo(endpoint: Endpoint): void {
  endpoint.attach({
    bytes(chunk) {
      if (!endpoint.write(chunk)) endpoint.pause();
    },
    drained: () => endpoint.resume(),
    ended: () => endpoint.end(),
    closed() {},
  });
  endpoint.resume();
}
