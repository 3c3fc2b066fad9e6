/**
 * A light MQTT client over TLS that keeps the newest session it was given, so that its next visit can resume it.
 */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { generate } from 'mqtt-packet';
import { until, within } from './condition.ts';

export interface SecureOptions {
  readonly clientId: string;
  /** 4 = 3.1.1 (default), 5 = 5.0. */
  readonly version?: 4 | 5;
  readonly username?: string;
  readonly password?: string;
  /** What Node knows of TLS; by default the server's certificate is not checked. */
  readonly tls?: ConnectionOptions;
  /** How long it may take until the CONNACK. Default 20 s. */
  readonly timeoutMs?: number;
}

const connack = 0x20;
const pingreq = Buffer.from([0xc0, 0]);
const disconnect = Buffer.from([0xe0, 0]);
const pingresp = 0xd0;

/** Connects; throws unless the broker accepts, with what TLS or the system said of it. */
export async function connectSecure(port: number, options: SecureOptions): Promise<SecureClient> {
  const { clientId, version = 4, username, password, timeoutMs = 20_000 } = options;
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options.tls });
  const packet = generate({
    cmd: 'connect',
    clientId,
    clean: true,
    keepalive: 0,
    protocolId: 'MQTT',
    protocolVersion: version,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
  });
  socket.once('secureConnect', () => socket.write(packet));
  const client = new SecureClient(clientId, socket);
  try {
    await until(() => client.received.length >= 4 || client.isClosed, { what: `a CONNACK for ${clientId}`, timeoutMs });
    const [type, , , code] = client.received;
    if (type === connack && code === 0) return client;
    throw new Error(`client ${clientId}: ${code === undefined ? client.failure : `refused ${code}`}`);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Disposing of it sends DISCONNECT, if it is still connected. */
export class SecureClient implements AsyncDisposable {
  readonly clientId: string;
  readonly socket: TLSSocket;
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<void>;
  #session: Buffer | null = null;
  #failure = 'closed';
  #isClosed = false;

  constructor(clientId: string, socket: TLSSocket) {
    this.clientId = clientId;
    this.socket = socket;
    socket.on('session', session => {
      this.#session = session;
    });
    socket.on('data', chunk => this.#chunks.push(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code ?? error.message;
    });
    this.#closed = new Promise(resolve =>
      socket.once('close', () => {
        this.#isClosed = true;
        resolve();
      }),
    );
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Why it ended. */
  get failure(): string {
    return this.#failure;
  }

  /** Whether this connection went on with an earlier session. */
  get resumed(): boolean {
    return this.socket.isSessionReused();
  }

  /** The newest session it was given. Of a resumption in TLS 1.2 Node tells none, but the socket has it. */
  get session(): Buffer | null {
    return this.socket.getProtocol() === 'TLSv1.2' ? (this.socket.getSession() ?? null) : this.#session;
  }

  /** The common name of the server's certificate. */
  get serverCn(): string {
    const name = this.socket.getPeerCertificate().subject?.CN ?? '';
    return typeof name === 'string' ? name : (name[0] ?? '');
  }

  /** PINGREQ, and the broker's answer: the whole way works. */
  async ping(timeoutMs = 20_000): Promise<void> {
    const before = this.received.length;
    this.socket.write(pingreq);
    const seen = (): string => this.failure;
    const answered = (): boolean => this.received[before] === pingresp || this.isClosed;
    await until(answered, { what: `a PINGRESP for ${this.clientId}`, timeoutMs, seen });
    if (this.isClosed) throw new Error(`client ${this.clientId}: ${this.failure}`);
  }

  /** DISCONNECT, and the end of the connection. */
  async leave(): Promise<void> {
    if (!this.#isClosed) this.socket.end(disconnect);
    await within(this.#closed, { what: `the end of ${this.clientId}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }
}
