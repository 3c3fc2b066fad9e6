/**
 * WebSocket clients of the `ws` package, whose every frame a test cuts itself.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientOptions, WebSocket } from 'ws';
import { until, within } from './condition.ts';

export interface WebSocketClientOptions {
  /** Default `/mqtt`. */
  readonly path?: string;
  /** The authority of a TLS bind; the server's name is then `localhost`. */
  readonly ca?: string;
  /** Anything else that ws knows. */
  readonly ws?: ClientOptions;
}

/** A client whose upgrade was accepted. */
export async function openWebSocket(port: number, options: WebSocketClientOptions = {}): Promise<WebSocketClient> {
  const { path = '/mqtt', ca } = options;
  const tls = ca === undefined ? {} : { ca: readFileSync(ca), servername: 'localhost' };
  const scheme = ca === undefined ? 'ws' : 'wss';
  const ws = new WebSocket(`${scheme}://127.0.0.1:${port}${path}`, ['mqtt'], { ...tls, ...options.ws });
  const client = new WebSocketClient(ws);
  try {
    await within(once(ws, 'open'), { what: `an open WebSocket to port ${port}` });
    return client;
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}

/** Disposing of it drops it. */
export class WebSocketClient implements Disposable {
  readonly ws: WebSocket;
  /** The Close that came (1006: none did). */
  readonly closed: Promise<number>;
  #chunks: Buffer[] = [];
  #bytesIn = 0;
  #pongs = 0;
  #isKeeping = true;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('error', () => undefined);
    ws.on('message', (message: Buffer) => {
      this.#bytesIn += message.length;
      if (this.#isKeeping) this.#chunks.push(message);
    });
    ws.on('pong', () => {
      this.#pongs += 1;
    });
    this.closed = new Promise(resolve => ws.once('close', resolve));
  }

  /** Bytes inside binary frames. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  get pongs(): number {
    return this.#pongs;
  }

  /** Everything received so far, out of its frames. */
  received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** From now on bytes are counted only. */
  forget(): void {
    this.#isKeeping = false;
    this.#chunks = [];
  }

  /** One frame; resolves when the kernel has taken it. */
  async send(bytes: Buffer, fin = true): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.ws.send(bytes, { binary: true, fin }, error => (error ? reject(error) : resolve()));
    });
  }

  async waitForBytes(count: number, timeoutMs = 10_000): Promise<Buffer> {
    const seen = (): string => `${this.#bytesIn} bytes`;
    await until(() => this.#bytesIn >= count, { what: `${count} bytes in frames`, timeoutMs, seen });
    return this.received();
  }

  [Symbol.dispose](): void {
    this.ws.terminate();
  }
}
