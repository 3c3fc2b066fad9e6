import type { Socket } from 'node:net';
import { Lines, type NextLine } from './lines.ts';

/** The client has gone, or was silent for too long. */
export class Gone extends Error {}

/** At the end, so long the client may take to close its side. */
const LINGER_MS = 1000;

/**
 * One client's bytes: lines in, answers out. Whoever waits for the client, to say something or to read what it is told,
 * waits `timeoutMs` at most; then the connection is closed.
 */
export class ClientSocket {
  timeoutMs: number;
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #lines: Lines;
  #silentSinceMs: number | null = performance.now();

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.timeoutMs = timeoutMs;
    // A reset is the client's business; whoever reads or writes next hears of it.
    socket.on('error', () => {});
    // Half closed by the client, it is still to be answered.
    this.#chunks = socket.iterator({ destroyOnReturn: false });
    this.#lines = new Lines(this.#chunks);
  }

  /**
   * Since when only the client could go on: to say a whole line, or to close its side. Monotonic; null: something is on its
   * way to it, or will be.
   */
  get silentSinceMs(): number | null {
    return this.#socket.destroyed || this.#socket.writableLength > 0 ? null : this.#silentSinceMs;
  }

  /** @throws Gone */
  async nextLine(): Promise<NextLine> {
    this.#silentSinceMs = performance.now();
    try {
      return await this.#within(this.timeoutMs, () => this.#lines.next());
    } catch {
      throw new Gone();
    } finally {
      this.#silentSinceMs = null;
    }
  }

  /** Resolves when there is room for more. @throws Gone */
  async write(data: string | Buffer): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) throw new Gone();
    if (socket.write(data)) return;
    await this.#within(this.timeoutMs, () => drained(socket));
    if (socket.destroyed) throw new Gone();
  }

  /** Closes when all is sent. What the client still says is read away, else the kernel would drop what it has not got yet. */
  async finish(): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.end(() => {
      this.#silentSinceMs = performance.now();
    });
    try {
      await this.#within(LINGER_MS, async () => {
        while ((await this.#chunks.next()).done !== true);
      });
      await this.#within(LINGER_MS, () => closed(this.#socket));
    } catch {
      // It has gone by itself.
    }
    this.#socket.destroy();
  }

  /** Says this and closes, without waiting for the client for more than a moment. */
  dismiss(text: string): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (!socket.writableEnded) socket.end(text);
    socket.destroySoon();
    destroyLater(socket);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #within<T>(ms: number, wait: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#socket.destroy(), ms);
    try {
      return await wait();
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Says this to one who is not served, and closes. `lingers`: not before the client does, or a moment has passed; what it says
 * meanwhile is read away, as in `finish`.
 */
export function turnAway(socket: Socket, text: string, lingers: boolean): void {
  socket.on('error', () => {});
  socket.end(text);
  if (!lingers) {
    socket.destroySoon();
    return;
  }
  socket.resume();
  destroyLater(socket);
}

/** Where it has not closed by then. */
function destroyLater(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

function drained(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise(resolve => socket.once('close', () => resolve()));
}
