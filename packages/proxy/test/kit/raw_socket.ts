/**
 * One end of a TCP connection that a test steers byte by byte: the raw client's, and the scripted broker's.
 */
import { connect, type Socket } from 'node:net';
import { until, within } from './condition.ts';

export interface RawOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** The source address, e.g. 127.0.0.2. */
  readonly localAddress?: string;
}

/** Connects. The other direction stays open when the peer sends FIN; the owner ends it. */
export async function connectRaw(port: number, options: RawOptions = {}): Promise<RawSocket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true, ...options });
  const raw = new RawSocket(socket, 'the raw client');
  await within(
    new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    }),
    { what: `a TCP connection to port ${port}` },
  );
  return raw;
}

/** RST; behind our FIN where that is on its way already, for then libuv refuses (EINVAL) and Node never tells the close. */
export function resetSocket(socket: Socket): void {
  const isSendingFin = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
  if (isSendingFin) socket.once('finish', () => socket.resetAndDestroy());
  else if (!socket.destroyed) socket.resetAndDestroy();
}

export class RawSocket implements Disposable {
  /** `Date.now()` when it was made. */
  readonly atMs: number = Date.now();
  readonly socket: Socket;
  /** When both directions are gone; the system's code (`ECONNRESET`) or null after an orderly end. */
  readonly closed: Promise<string | null>;
  readonly #name: string;
  #chunks: Buffer[] = [];
  #isKeeping = true;
  readonly #listeners: (() => void)[] = [];
  #bytesIn = 0;
  #ended = false;
  #isClosed = false;

  constructor(socket: Socket, name: string) {
    this.socket = socket;
    this.#name = name;
    let code: string | null = null;
    socket.on('data', chunk => {
      if (this.#isKeeping) this.#chunks.push(chunk);
      this.#bytesIn += chunk.length;
      for (const listener of this.#listeners) listener();
    });
    socket.on('end', () => {
      this.#ended = true;
      // libuv tells an end where RST comes right behind bytes; writing nothing asks the kernel, and fails after RST.
      if (!socket.writableEnded) socket.write(Buffer.alloc(0));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.message;
    });
    this.closed = new Promise(resolve =>
      socket.once('close', () => {
        this.#isClosed = true;
        resolve(code);
      }),
    );
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  /** Whether the peer has sent FIN. */
  get ended(): boolean {
    return this.#ended;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Everything received so far. */
  received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** From now on bytes are counted only: for streams that are too long to keep. */
  forget(): void {
    this.#isKeeping = false;
    this.#chunks = [];
  }

  /** Called after every chunk that is received from now on. */
  onBytes(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Sends bytes; resolves when the kernel has taken them all. */
  async write(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.socket.write(bytes, error => (error ? reject(error) : resolve()));
    });
  }

  /** Resolves with everything received, as soon as it is at least `count` bytes. */
  async waitForBytes(count: number, timeoutMs = 10_000): Promise<Buffer> {
    const seen = (): string => `  ${this.#bytesIn} bytes`;
    await until(() => this.#bytesIn >= count, { what: `${count} bytes at ${this.#name}`, timeoutMs, seen });
    return this.received();
  }

  /** Resolves when the peer has sent FIN or both directions are gone. */
  async waitForEnd(timeoutMs = 10_000): Promise<void> {
    await until(() => this.#ended || this.#isClosed, { what: `the end of the stream to ${this.#name}`, timeoutMs });
  }

  /** No more bytes are taken from the kernel: its buffer fills, and then the peer's. */
  stopReading(): void {
    this.socket.pause();
  }

  readAgain(): void {
    this.socket.resume();
  }

  /** FIN behind everything written. */
  end(): void {
    this.socket.end();
  }

  /** RST. */
  reset(): void {
    resetSocket(this.socket);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
