/**
 * An MQTT client that costs next to nothing, so that a test can have thousands: CONNECT, CONNACK, PINGREQ, DISCONNECT.
 */
import { connect, type Socket } from 'node:net';
import { generate, type IConnectPacket } from 'mqtt-packet';
import { within } from './condition.ts';
import { resetSocket } from './raw_socket.ts';

export interface LightOptions {
  readonly clientId: string;
  /** Default true. */
  readonly clean?: boolean;
  /** 4 = 3.1.1 (default), 5 = 5.0. */
  readonly version?: 4 | 5;
  readonly username?: string;
  /** 5.0: Session Expiry Interval in seconds. */
  readonly sessionExpiryS?: number;
  /** The source address, e.g. 127.0.0.2. */
  readonly localAddress?: string;
  /** Where to. Default 127.0.0.1. */
  readonly host?: string;
  /** How long the CONNACK may take. Default 20 s. */
  readonly timeoutMs?: number;
}

/** How a client's wish to connect ended. */
export interface Arrival {
  readonly clientId: string;
  /** `Date.now()` when it began. */
  readonly atMs: number;
  /** From the first SYN to the CONNACK, or to the end without one. */
  readonly waitMs: number;
  /** `accepted`, `refused 0x03`, `closed`, `late`, or the system's word: `ECONNREFUSED`. */
  readonly outcome: string;
  /** Null unless accepted. */
  readonly client: LightClient | null;
}

const pingreq = Buffer.from([0xc0, 0]);
const disconnect = Buffer.from([0xe0, 0]);
const connackLength = 4;

/** Connects and waits for the CONNACK. Never rejects. */
export function arrive(port: number, options: LightOptions): Promise<Arrival> {
  const { clientId, timeoutMs = 20_000 } = options;
  const atMs = Date.now();
  const startMs = performance.now();
  const { host = '127.0.0.1', localAddress } = options;
  const at = { host, port, noDelay: true };
  const socket = connect(localAddress === undefined ? at : { ...at, localAddress });
  return new Promise(resolve => {
    const settle = (outcome: string, client: LightClient | null): void => {
      clearTimeout(late);
      if (client === null) socket.destroy();
      resolve({ clientId, atMs, waitMs: Math.round(performance.now() - startMs), outcome, client });
    };
    const late = setTimeout(() => settle('late', null), timeoutMs);
    const client = new LightClient(clientId, socket, code => {
      if (code === 0) settle('accepted', client);
      else settle(`refused 0x${code.toString(16).padStart(2, '0')}`, null);
    });
    socket.on('connect', () => socket.write(connectPacket(options)));
    void client.closed.then(code => settle(code ?? 'closed', null));
  });
}

/** Connects; throws unless the broker accepts. */
export async function connectLight(port: number, options: LightOptions): Promise<LightClient> {
  const { client, outcome } = await arrive(port, options);
  if (client === null) throw new Error(`client ${options.clientId}: ${outcome}`);
  return client;
}

function connectPacket(options: LightOptions): Buffer {
  const { clientId, clean = true, version = 4, username, sessionExpiryS } = options;
  const packet: IConnectPacket = {
    cmd: 'connect',
    clientId,
    clean,
    keepalive: 0,
    protocolId: 'MQTT',
    protocolVersion: version,
    ...(username === undefined ? {} : { username }),
    ...(sessionExpiryS === undefined ? {} : { properties: { sessionExpiryInterval: sessionExpiryS } }),
  };
  return generate(packet);
}

/** Disposing of it sends DISCONNECT, if it is still connected. */
export class LightClient implements AsyncDisposable {
  readonly clientId: string;
  /** When the connection is gone: the system's code, or null after an orderly end. */
  readonly closed: Promise<string | null>;
  readonly #socket: Socket;
  #isClosed = false;
  #bytes: Buffer = Buffer.alloc(0);
  #onConnack: ((code: number) => void) | null;
  /** Answers that pings wait for, oldest first. */
  readonly #pings: (() => void)[] = [];

  constructor(clientId: string, socket: Socket, onConnack: (code: number) => void) {
    this.clientId = clientId;
    this.#socket = socket;
    this.#onConnack = onConnack;
    let code: string | null = null;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.message;
    });
    socket.on('data', chunk => this.#read(chunk));
    this.closed = new Promise(resolve =>
      socket.once('close', () => {
        this.#isClosed = true;
        resolve(code);
      }),
    );
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The source port of its connection. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** PINGREQ, and the broker's answer: the whole way works. */
  async ping(timeoutMs = 10_000): Promise<void> {
    const answered = new Promise<void>(resolve => this.#pings.push(resolve));
    this.#socket.write(pingreq);
    await within(answered, { what: `a PINGRESP for ${this.clientId}`, timeoutMs });
  }

  /** DISCONNECT, and the end of the connection. */
  async leave(): Promise<void> {
    if (!this.#isClosed) this.#socket.end(disconnect);
    await within(this.closed, { what: `the end of ${this.clientId}` });
  }

  /** The connection breaks (RST). */
  async drop(): Promise<void> {
    resetSocket(this.#socket);
    await within(this.closed, { what: `the end of ${this.clientId}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  /** A CONNACK, and then only packets of two bytes, for it never subscribes. */
  #read(chunk: Buffer): void {
    if (this.#onConnack === null) {
      for (let seen = 0; seen < chunk.length; seen += 2) if (chunk[seen] === 0xd0) this.#pings.shift()?.();
      return;
    }
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const code = this.#bytes[connackLength - 1];
    if (code === undefined) return;
    const tell = this.#onConnack;
    this.#onConnack = null;
    tell(code);
  }
}
