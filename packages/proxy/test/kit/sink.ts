/**
 * A broker of a few lines, for thousands of clients: it accepts, answers pings, leaves who asks for it, and notes when each
 * CONNECT came.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { connack } from './broker.ts';
import { PINGREQ, PINGRESP } from './pings.ts';
import { resetSocket } from './raw_socket.ts';

/** A client that says one of these behind its CONNECT is left by FIN, or by RST. */
export const PLEASE_END: Buffer = Buffer.from('please-end');
export const PLEASE_RESET: Buffer = Buffer.from('please-reset');

/** Listens on a free port of 127.0.0.1. `lastWords`: what it says before each FIN of its own. */
export async function startSink(lastWords: Buffer = Buffer.alloc(0)): Promise<Sink> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => resolve());
  });
  return new Sink(server, lastWords);
}

/** Disposing of it closes every connection. */
export class Sink implements AsyncDisposable {
  /** `performance.now()` of every CONNECT, in their order. */
  readonly connectsMs: number[] = [];
  readonly #server: Server;
  readonly #lastWords: Buffer;
  readonly #sockets = new Set<Socket>();

  constructor(server: Server, lastWords: Buffer) {
    this.#server = server;
    this.#lastWords = lastWords;
    server.on('connection', socket => this.#serve(socket));
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the sink has ended');
    return address.port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** The most CONNECTs that any `windowMs` held, wherever it begins. */
  mostIn(windowMs: number): number {
    let most = 0;
    let first = 0;
    for (const [index, atMs] of this.connectsMs.entries()) {
      while (atMs - (this.connectsMs[first] ?? atMs) >= windowMs) first += 1;
      most = Math.max(most, index - first + 1);
    }
    return most;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** A light client's CONNECT is small and sent at once: it comes in one chunk, and pings behind it one by one. */
  #serve(socket: Socket): void {
    let isConnected = false;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.once('end', () => this.#leave(socket));
    socket.on('data', chunk => {
      if (!isConnected) {
        isConnected = true;
        this.connectsMs.push(performance.now());
        // `MQTT` has its level in byte 8 where the Remaining Length is one byte.
        socket.write(connack(chunk[8] ?? 4, 0));
      } else if (chunk.equals(PINGREQ)) socket.write(PINGRESP);
      else if (chunk.includes(PLEASE_END)) this.#leave(socket);
      else if (chunk.includes(PLEASE_RESET)) resetSocket(socket);
    });
  }

  #leave(socket: Socket): void {
    if (!socket.writableEnded) socket.end(this.#lastWords);
  }
}
