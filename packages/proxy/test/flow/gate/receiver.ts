/**
 * A server that reads PROXY headers with the program's own reader, and what it made of each connection.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { TimerWheel } from '../../../src/clock.ts';
import { acceptProxy, type ProxyAccepted } from '../../../src/gate/accept_proxy.ts';
import { CidrSet } from '../../../src/gate/cidr.ts';
import type { ProxyLink } from '../../../src/gate/proxy_header.ts';
import { until } from '../../kit/condition.ts';

export interface Arrival {
  readonly socket: Socket;
  readonly own: ProxyLink;
  readonly accepted: ProxyAccepted;
}

export interface ReceiverOptions {
  /** Default all of 127.0.0.0/8. */
  readonly trusted?: readonly string[];
  /** Default 5 s. */
  readonly timeoutMs?: number;
  /** Waited for before the first byte of a connection is read. */
  readonly before?: (socket: Socket) => Promise<unknown>;
}

/** Disposing of it drops every connection. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = new Receiver(options);
  await once(receiver.server.listen(0, '127.0.0.1'), 'listening');
  return receiver;
}

export class Receiver implements AsyncDisposable {
  readonly server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, socket => void this.#accept(socket));
  /** In the order in which they were decided. */
  readonly arrivals: Arrival[] = [];
  readonly #wheel: TimerWheel = new TimerWheel();
  readonly #sockets = new Set<Socket>();
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The n-th connection that was decided, counted from 1. */
  async arrival(count = 1): Promise<Arrival> {
    return await until(() => this.arrivals[count - 1], { what: `the end of ${count} PROXY headers` });
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const { trusted = ['127.0.0.0/8'], timeoutMs = 5000, before } = this.#options;
    const own = {
      source: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
      destination: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    };
    await before?.(socket);
    const accepted = await acceptProxy(socket, own, { trusted: new CidrSet(trusted), timeoutMs, wheel: this.#wheel });
    this.arrivals.push({ socket, own, accepted });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#wheel.close();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** What the next reader of an arrival's socket gets, until it ends. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
