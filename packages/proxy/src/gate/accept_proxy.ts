import type { Socket } from 'node:net';
import type { TimerWheel } from '../clock.ts';
import type { CidrSet } from './cidr.ts';
import type { ProxyHeader, ProxyLink } from './proxy_header.ts';
import { ProxyHeaderReader } from './proxy_header_reader.ts';

export interface ProxyOptions {
  /** Peers that must send a header (the bind's `accept_proxy`); from others none is read. */
  readonly trusted: CidrSet;
  /** How long the header may take, from now on: bytes that trickle do not extend it. */
  readonly timeoutMs: number;
  readonly wheel: TimerWheel;
}

export type ProxyFailure = 'proxy_header_timeout' | 'bad_proxy_header' | 'client_closed';

export type ProxyAccepted =
  | {
      readonly kind: 'accepted';
      /** Whom the connection is for: the header's addresses where it has some, else the socket's own. */
      readonly link: ProxyLink;
      /** Null: the peer is not trusted. */
      readonly header: ProxyHeader | null;
      /** How many of the socket's `bytesRead` were the header's. */
      readonly headerBytes: number;
    }
  | { readonly kind: 'failed'; readonly reason: ProxyFailure; readonly detail: string };

/**
 * Reads the PROXY header of a trusted peer, before anything else on this connection is read.
 *
 * Borrows the socket, which must be open and paused, and gives it back paused; what came behind the header has been put
 * back and is the first that its next reader gets. Nothing is written, and nothing is closed: after `failed` the caller
 * resets the socket. Never rejects.
 */
export function acceptProxy(socket: Socket, own: ProxyLink, options: ProxyOptions): Promise<ProxyAccepted> {
  if (!options.trusted.has(own.source.address)) {
    return Promise.resolve({ kind: 'accepted', link: own, header: null, headerBytes: 0 });
  }
  return new Promise(resolve => new HeaderWait(socket, own, options, resolve));
}

class HeaderWait {
  readonly #socket: Socket;
  readonly #own: ProxyLink;
  readonly #reader: ProxyHeaderReader = new ProxyHeaderReader();
  readonly #finish: (accepted: ProxyAccepted) => void;

  constructor(socket: Socket, own: ProxyLink, options: ProxyOptions, resolve: (accepted: ProxyAccepted) => void) {
    this.#socket = socket;
    this.#own = own;
    const timer = options.wheel.after(options.timeoutMs, () => this.#fail('proxy_header_timeout', 'it came too late'));
    const read = (chunk: Buffer): void => this.#read(chunk);
    const gone = (): void => this.#fail('client_closed', 'the peer left before its header was whole');
    this.#finish = accepted => {
      timer.cancel();
      socket.pause();
      socket.removeListener('data', read);
      for (const event of ['end', 'close']) socket.removeListener(event, gone);
      resolve(accepted);
    };
    // Stays for good: whoever gets the socket next may still have to wait before listening itself.
    socket.on('error', () => {});
    socket.on('end', gone);
    socket.on('close', gone);
    socket.on('data', read);
    if (socket.destroyed || socket.readableEnded) gone();
    else socket.resume();
  }

  #read(chunk: Buffer): void {
    const reading = this.#reader.push(chunk);
    if (reading.kind === 'more') return;
    if (reading.kind === 'bad') {
      this.#fail('bad_proxy_header', reading.detail);
      return;
    }
    const { header, headerBytes, rest } = reading;
    this.#finish({ kind: 'accepted', link: header.link ?? this.#own, header, headerBytes });
    if (rest.length > 0) this.#socket.unshift(rest);
  }

  #fail(reason: ProxyFailure, detail: string): void {
    this.#finish({ kind: 'failed', reason, detail });
  }
}
