/**
 * A broker that speaks WebSocket by the `ws` package, which nobody here wrote, and does with a client what a test says.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { connack, streamBytes } from './broker.ts';

export interface ForeignOptions {
  /** The CONNACK's return code of 3.1.1. Default: 0, accepted. */
  readonly code?: number;
  /** Refuses every upgrade with that status. */
  readonly status?: number;
  /** Behind the CONNACK it sends so many bytes, those of `streamBytes`, as fast as they are taken. */
  readonly streamBytes?: number;
}

const CHUNK_BYTES = 64 * 1024;

/** Listens on a free port of 127.0.0.1. Answers whatever comes first with its CONNACK. */
export async function startForeign(options: ForeignOptions = {}): Promise<ForeignBroker> {
  const server = createServer((_, response) => response.writeHead(options.status ?? 426).end());
  const broker = new ForeignBroker(server, options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return broker;
}

/** A client whose upgrade was accepted. */
export class ForeignPeer {
  readonly ws: WebSocket;
  /** The upgrade request's target and header fields. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** What it has sent, message by message: fragments are put together, a message of one frame is that frame. */
  readonly messages: readonly Buffer[];
  #sentBytes = 0;

  constructor(ws: WebSocket, { url = '', headers }: IncomingMessage, { code = 0, streamBytes = 0 }: ForeignOptions) {
    const messages: Buffer[] = [];
    this.ws = ws;
    this.target = url;
    this.headers = headers;
    this.messages = messages;
    ws.on('error', () => undefined);
    ws.on('message', (message: Buffer) => {
      // That it left in the middle, the test sees itself.
      if (messages.push(message) === 1) this.#answer(connack(4, code), streamBytes).catch(() => undefined);
    });
  }

  /** What the kernel has taken of the bytes inside our frames. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  async #answer(answer: Buffer, total: number): Promise<void> {
    await this.#send(answer);
    for (let from = 0; from < total; from += CHUNK_BYTES) {
      await this.#send(streamBytes(Math.min(CHUNK_BYTES, total - from), from));
    }
  }

  async #send(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.ws.send(bytes, error => (error ? reject(error) : resolve()));
    });
    this.#sentBytes += bytes.length;
  }
}

/** Disposing of it drops every connection. */
export class ForeignBroker implements AsyncDisposable {
  readonly peers: readonly ForeignPeer[];
  /** Upgrade requests, refused ones too. */
  upgrades = 0;
  readonly #server: Server;

  constructor(server: Server, options: ForeignOptions) {
    this.#server = server;
    const peers: ForeignPeer[] = [];
    this.peers = peers;
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'mqtt' });
    server.on('upgrade', (request, socket, head) => {
      this.upgrades += 1;
      // Who is refused may reset the connection.
      socket.on('error', () => undefined);
      if (options.status !== undefined) {
        socket.end(`HTTP/1.1 ${options.status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, ws => peers.push(new ForeignPeer(ws, request, options)));
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the foreign broker has ended');
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { ws } of this.peers) ws.terminate();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
