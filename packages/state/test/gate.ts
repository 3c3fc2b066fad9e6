/**
 * A unix socket in front of another one, for what a network does: it delays what passes, is shut, or cuts connections in
 * the middle. Disposing of it ends all connections.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export class Gate implements AsyncDisposable {
  readonly path: string;
  /** How long an answer takes in addition. */
  delayMs = 0;
  /** Ends a connection after so many more bytes of answers. */
  cutAfterBytes: number = Number.POSITIVE_INFINITY;
  readonly #target: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isShut = false;

  private constructor(path: string, target: string) {
    this.path = path;
    this.#target = target;
    this.#server = createServer(client => this.#open(client));
  }

  static async start(path: string, target: string): Promise<Gate> {
    const gate = new Gate(path, target);
    await new Promise<void>((resolve, reject) => {
      gate.#server.once('error', reject);
      gate.#server.listen(path, () => resolve());
    });
    return gate;
  }

  /** Ends all connections, and every new one at once. */
  shut(): void {
    this.#isShut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  reopen(): void {
    this.#isShut = false;
  }

  #open(client: Socket): void {
    if (this.#isShut) {
      client.destroy();
      return;
    }
    const server = createConnection(this.#target);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', bytes => server.write(bytes));
    server.on('data', bytes => this.#answer(client, bytes));
  }

  #answer(client: Socket, bytes: Buffer): void {
    if (bytes.length > this.cutAfterBytes) {
      const rest = this.cutAfterBytes;
      this.cutAfterBytes = Number.POSITIVE_INFINITY;
      client.write(bytes.subarray(0, rest), () => client.destroy());
      return;
    }
    this.cutAfterBytes -= bytes.length;
    if (this.delayMs === 0) client.write(bytes);
    else setTimeout(() => client.destroyed || client.write(bytes), this.delayMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.shut();
    await closed;
  }
}
