import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { StatsConfig } from '../../config/resolved.ts';
import { errorCode, LimpetError } from '../../errors.ts';
import type { Exchange } from './answer.ts';

/** Beyond these, one that waits for nothing makes room: no crowd of silent ones keeps a health check out. */
const MOST_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 16_384;
const HEADERS_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
/** Neither side has sent anything for so long: a reader that stalls, a body that never ends. Streams have heartbeats. */
const IDLE_MS = 60_000;
/**
 * Requests of one connection that are not answered yet. Programs wait for an answer before they ask again; a piece of
 * pipelined requests would be worked off at once, thousands of them, before the event loop turns.
 */
const MOST_UNANSWERED = 4;
const LOOK_FOR_LATE_MS = 1_000;
/** How long answers that are under way may take when it stops. */
const LINGER_MS = 1_000;

export interface HttpHandlers {
  readonly serve: (exchange: Exchange) => void;
  /** What HTTP is spoken on: the socket itself, or what is inside it. Null: it is refused, and closes by itself. */
  readonly enter: (socket: Socket) => Promise<Socket | null>;
  readonly onError: (code: string) => void;
}

type Place = Pick<StatsConfig, 'host' | 'port' | 'label'>;

/** Listens, with every limit and deadline. @throws LimpetError STATS_BIND */
export function listenHttp(place: Place, handlers: HttpHandlers): Promise<HttpListener> {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    connectionsCheckingInterval: LOOK_FOR_LATE_MS,
    requestTimeout: 0,
  });
  server.headersTimeout = HEADERS_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.timeout = IDLE_MS;
  const listener = new HttpListener(server, handlers);
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(bindError(place, errorCode(error))));
    server.listen({ host: place.host, port: place.port }, () => {
      // Of a connection that could not be accepted: there are others.
      server.on('error', error => handlers.onError(errorCode(error)));
      resolve(listener);
    });
  });
}

/** An HTTP server that listens. */
export class HttpListener {
  readonly #server: Server;
  /** Those who are connected, the oldest first, and how many of their requests are not answered. */
  readonly #unanswered = new Map<Socket, number>();
  /** What HTTP is spoken on → what it is inside of. */
  readonly #outer = new WeakMap<Socket, Socket>();

  /** HTTP is served on what `enter` answers, so limits and deadlines of the one server hold with TLS too. */
  constructor(server: Server, handlers: HttpHandlers) {
    this.#server = server;
    const serve = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (!this.#welcome(socket)) return;
      void handlers.enter(socket).then(inside => {
        if (inside === null) return;
        this.#outer.set(inside, socket);
        for (const listener of serve) listener.call(server, inside);
      });
    });
    server.on('request', (request, response) => {
      if (this.#mayAsk({ request, response })) handlers.serve({ request, response });
    });
  }

  get host(): string {
    return this.#address.address;
  }

  get port(): number {
    return this.#address.port;
  }

  get #address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** Listens no more at once; resolves when the last connection has ended, within a second. */
  async stop(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const socket of this.#unanswered.keys()) socket.destroy();
    }, LINGER_MS);
    await closed;
    clearTimeout(timer);
  }

  /** False: there is no room, and it is closed. */
  #welcome(socket: Socket): boolean {
    socket.on('error', () => {});
    if (this.#unanswered.size >= MOST_CONNECTIONS) {
      const [idle] = [...this.#unanswered].find(([, count]) => count === 0) ?? [socket];
      this.#unanswered.delete(idle);
      idle.destroy();
      if (idle === socket) return false;
    }
    this.#unanswered.set(socket, 0);
    socket.once('close', () => this.#unanswered.delete(socket));
    return true;
  }

  /** Counts a request until it is answered. False: there are too many, and the connection is cut. */
  #mayAsk({ request, response }: Exchange): boolean {
    const socket = this.#outer.get(request.socket) ?? request.socket;
    const count = (this.#unanswered.get(socket) ?? 0) + 1;
    if (count > MOST_UNANSWERED || socket.destroyed) {
      request.socket.destroy();
      return false;
    }
    this.#unanswered.set(socket, count);
    response.once('close', () => {
      const left = this.#unanswered.get(socket);
      if (left !== undefined) this.#unanswered.set(socket, left - 1);
    });
    return true;
  }
}

function bindError({ label }: Place, code: string): LimpetError {
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE:
      'Stop the program that has the port (ss -ltnp shows it), or choose another one for `global.stats.bind`.',
    EACCES: 'Ports below 1024 need root or CAP_NET_BIND_SERVICE: choose another one.',
    EADDRNOTAVAIL: 'This host does not have the address: choose one that `ip address` shows.',
  };
  const remedy = remedies[code] ?? 'See `global.stats.bind`.';
  return new LimpetError('STATS_BIND', `cannot listen on ${label} for the stats page: ${code}`, remedy);
}
