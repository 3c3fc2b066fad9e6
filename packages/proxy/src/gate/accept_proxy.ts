import type { Timer, TimerWheel } from '../clock.ts';
import type { CidrSet } from './cidr.ts';
import type { HeaderReader, HeaderSource } from './header_source.ts';
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
      /** How many of the bytes that were read were the header's. */
      readonly headerBytes: number;
    }
  | { readonly kind: 'failed'; readonly reason: ProxyFailure; readonly detail: string };

/**
 * Reads the PROXY header of a trusted peer, before anything else on this connection is read.
 *
 * Borrows the connection and gives it back paused; what came behind the header has been put back and is the first that its
 * next reader gets. Nothing is written, and nothing is closed: after `failed` the caller does that. Never rejects.
 */
export function acceptProxy(source: HeaderSource, own: ProxyLink, options: ProxyOptions): Promise<ProxyAccepted> {
  if (!options.trusted.has(own.source.address)) {
    return Promise.resolve({ kind: 'accepted', link: own, header: null, headerBytes: 0 });
  }
  return new Promise(resolve => new HeaderWait(source, own, options, resolve));
}

const NOTHING = Buffer.alloc(0);

class HeaderWait implements HeaderReader {
  readonly #source: HeaderSource;
  readonly #own: ProxyLink;
  readonly #reader: ProxyHeaderReader = new ProxyHeaderReader();
  readonly #timer: Timer;
  readonly #resolve: (accepted: ProxyAccepted) => void;

  constructor(
    source: HeaderSource,
    own: ProxyLink,
    { wheel, timeoutMs }: ProxyOptions,
    resolve: (accepted: ProxyAccepted) => void,
  ) {
    this.#source = source;
    this.#own = own;
    this.#resolve = resolve;
    this.#timer = wheel.after(timeoutMs, () => this.#fail('proxy_header_timeout', 'it came too late'));
    source.read(this);
  }

  bytes(chunk: Buffer): void {
    const reading = this.#reader.push(chunk);
    if (reading.kind === 'more') return;
    if (reading.kind === 'bad') {
      this.#fail('bad_proxy_header', reading.detail);
      return;
    }
    const { header, headerBytes, rest } = reading;
    this.#finish({ kind: 'accepted', link: header.link ?? this.#own, header, headerBytes }, rest);
  }

  gone(): void {
    this.#fail('client_closed', 'the peer left before its header was whole');
  }

  #fail(reason: ProxyFailure, detail: string): void {
    this.#finish({ kind: 'failed', reason, detail }, NOTHING);
  }

  #finish(accepted: ProxyAccepted, rest: Buffer): void {
    this.#timer.cancel();
    this.#source.giveBack(rest);
    this.#resolve(accepted);
  }
}
