import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import { errorCode, isLocalTrouble } from '../errors.ts';
import type { Engine } from '../native/engine.ts';
import type { BrokerTls, TlsConnecting } from '../tls/dial_tls.ts';
import { tlsEndpoint } from '../tls/tls_endpoint.ts';
import type { Departure, Departures } from './departures.ts';
import { EngineStream } from './engine_stream.ts';
import { PlainStream } from './plain_stream.ts';

/** Where a stream leads, and what it is made of. */
export interface StreamOrder {
  /** Literal. */
  readonly address: string;
  readonly port: number;
  /** A PROXY header goes out before everything else, TLS too. */
  readonly header: Buffer | null;
  readonly tls: BrokerTls | null;
  /** Opens plain TCP; null: Node does. */
  readonly engine: Engine | null;
  /** From where; `any`: the kernel chooses. Null: nowhere, for no source address is of the server's family. */
  readonly departures: Departures | 'any' | null;
}

export interface StreamEvents {
  /** The endpoint is paused; `first` is on its way. */
  opened(endpoint: Endpoint): void;
  /** Comes instead of opened(), with the system's or OpenSSL's code. `isLocal`: this host's own trouble. */
  failed(code: string, isLocal: boolean): void;
}

/** A stream that is being opened, or open. */
export interface OpenStream {
  /** Null until it is open. */
  endpoint(): Endpoint | null;
  /** Gives it up, in whatever state it is. */
  reset(): void;
}

/** Opens a stream to a server and says `first` on it, in one write with the PROXY header where there is no TLS. */
export function openStream(order: StreamOrder, first: Buffer, events: StreamEvents): OpenStream {
  const { departures } = order;
  if (departures !== 'any') return new SourcedStream(order, departures, first, events);
  return openFrom(order, null, first, {
    opened: endpoint => events.opened(endpoint),
    failed: code => events.failed(code, isLocalTrouble(code)),
  });
}

/** One try, from one departure. */
export interface TryEvents {
  opened(endpoint: Endpoint): void;
  /** `inBind`: its address or port is not to be had. */
  failed(code: string, inBind: boolean): void;
}

/** `from`: null: the kernel chooses. It is released when the connection is over. */
function openFrom(order: StreamOrder, from: Departure | null, first: Buffer, events: TryEvents): OpenStream {
  const { address, port, header, tls, engine } = order;
  if (engine !== null && tls === null) return new EngineStream(engine, { address, port, header, first }, from, events);
  const socket = connectFrom(order, from);
  let inBind = false;
  if (from !== null) {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      inBind = error.syscall === 'bind';
    });
    socket.once('close', () => from.release());
  }
  return openOn(socket, order, first, {
    opened: endpoint => events.opened(endpoint),
    failed: code => events.failed(code, inBind),
  });
}

/** What is told of a socket that is being opened. */
export interface SocketEvents {
  opened(endpoint: Endpoint): void;
  failed(code: string): void;
}

function connectFrom({ address, port }: StreamOrder, from: Departure | null): Socket {
  const to = { host: address, port, allowHalfOpen: true, noDelay: true };
  return connect(from === null ? to : { ...to, localAddress: from.address, localPort: from.port });
}

function openOn(socket: Socket, order: StreamOrder, first: Buffer, events: SocketEvents): OpenStream {
  return order.tls === null
    ? new PlainStream(socket, order.header, first, events)
    : openTls(socket, order, order.tls, first, events);
}

/** Others have the port, or its last connection to this server is not forgotten yet (TIME_WAIT). */
const PORT_TAKEN: ReadonlySet<string> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL']);
const NO_FAMILY = 'no source address of its family';
const NO_PORT = 'EADDRNOTAVAIL: no port left at its source addresses';
const NO_ADDRESS = 'EADDRNOTAVAIL: none of its source addresses is on this host';

/** A stream that goes from departure to departure until one is free. */
class SourcedStream implements OpenStream {
  readonly #order: StreamOrder;
  readonly #first: Buffer;
  readonly #events: StreamEvents;
  #stream: OpenStream | null = null;
  #isGivenUp = false;

  constructor(order: StreamOrder, departures: Departures | null, first: Buffer, events: StreamEvents) {
    this.#order = order;
    this.#first = first;
    this.#events = events;
    if (departures === null) queueMicrotask(() => this.#fail(NO_FAMILY));
    else this.#depart(departures);
  }

  endpoint(): Endpoint | null {
    return this.#stream?.endpoint() ?? null;
  }

  reset(): void {
    this.#isGivenUp = true;
    this.#stream?.reset();
  }

  #depart(departures: Departures): void {
    const from = departures.next();
    if (from === null) {
      queueMicrotask(() => this.#fail(departures.areAllMissing ? NO_ADDRESS : NO_PORT));
      return;
    }
    this.#stream = openFrom(this.#order, from, this.#first, {
      opened: endpoint => this.#events.opened(endpoint),
      failed: (code, inBind) => {
        if (inBind && code === 'EADDRNOTAVAIL') departures.skipAddress();
        if (!PORT_TAKEN.has(code)) this.#events.failed(code, isLocalTrouble(code));
        else if (!this.#isGivenUp) this.#depart(departures);
      },
    });
  }

  #fail(what: string): void {
    if (!this.#isGivenUp) this.#events.failed(what, true);
  }
}

function openTls(socket: Socket, order: StreamOrder, tls: BrokerTls, first: Buffer, events: SocketEvents): OpenStream {
  let endpoint: Endpoint | null = null;
  let connecting: TlsConnecting | null = null;
  const failed = (error: unknown): void => events.failed(errorCode(error));
  socket.pause();
  socket.once('error', failed);
  socket.once('connect', async () => {
    if (order.header !== null) socket.write(order.header);
    connecting = tls.connect(socket);
    const result = await connecting.result;
    socket.off('error', failed);
    if (result.kind === 'failed') {
      events.failed(`${result.reason}: ${result.detail}`);
      return;
    }
    endpoint = tlsEndpoint(result.socket, socket);
    endpoint.write(first);
    events.opened(endpoint);
  });
  const reset = (): void => {
    if (endpoint !== null) endpoint.reset();
    else if (connecting !== null) connecting.cancel();
    else socket.destroy();
  };
  return { endpoint: () => endpoint, reset };
}
