/**
 * A broker that speaks WebSocket by the `ws` package, which nobody here wrote, and does with a client what a test says.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { connack } from './broker.ts';

/** A client whose upgrade it has accepted. */
export interface ForeignPeer {
  readonly ws: WebSocket;
  /** The upgrade request's target and header fields. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** What it has sent, message by message: fragments are put together, a message of one frame is that frame. */
  readonly messages: readonly Buffer[];
}

export interface ForeignOptions {
  /** The CONNACK's return code of 3.1.1. Default: 0, accepted. */
  readonly code?: number;
  /** Refuses every upgrade with that status. */
  readonly status?: number;
}

/** Listens on a free port of 127.0.0.1. Answers whatever comes first with its CONNACK. */
export async function startForeign({ code = 0, status }: ForeignOptions = {}): Promise<ForeignBroker> {
  const server = createServer((_, response) => response.writeHead(status ?? 426).end());
  const broker = new ForeignBroker(server, code, status ?? null);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return broker;
}

/** Disposing of it drops every connection. */
export class ForeignBroker implements AsyncDisposable {
  readonly peers: readonly ForeignPeer[];
  /** Upgrade requests, refused ones too. */
  upgrades = 0;
  readonly #server: Server;

  constructor(server: Server, code: number, status: number | null) {
    this.#server = server;
    const peers: ForeignPeer[] = [];
    this.peers = peers;
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'mqtt' });
    server.on('upgrade', (request, socket, head) => {
      this.upgrades += 1;
      if (status !== null) {
        socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, ws => {
        const messages: Buffer[] = [];
        peers.push({ ws, target: request.url ?? '', headers: request.headers, messages });
        ws.on('error', () => undefined);
        ws.on('message', (message: Buffer) => {
          if (messages.push(message) === 1) ws.send(connack(4, code));
        });
      });
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
