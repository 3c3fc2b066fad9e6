/**
 * What the addon in `packages/proxy/native` exports: the contract between its C++ and this side. Nothing here is used
 * outside of this folder.
 *
 * A worker has one engine. In its event loop the engine accepts, dials, reads and writes *streams* (plain TCP), and moves the
 * bytes of young *links*, each made of two streams; a thread of its own moves those of the others. A stream or a link is named by a number that is never used
 * twice (its low 20 bits are a slot, which another one may have when a batch that told of its end has been read); whatever is asked of one that is gone does nothing, so that no event and no order can meet the wrong one.
 *
 * Nothing that is called here calls back before it returns. What happens is told in batches, through `EngineOptions`, from
 * the event loop; microtasks run behind each batch.
 *
 * Who reads a batch takes its events one by one: it sets an event's kind to 0 before it acts on it, and skips those whose
 * kind is 0 already. For the engine does the same: what stands in the batch for a stream that is paused, linked, closed or
 * reset while the batch is read is taken back (bytes and FIN of a paused one are told again after resume(), those of a
 * linked one go to the other side), so that pause() and link() may be called at any event and lose nothing.
 */
export interface NativeAddon {
  /** The version of this contract; an addon of another one is not used. */
  readonly contract: number;
  /**
   * A TCP socket that is bound and does not listen; answers its descriptor, which is the caller's. With `SO_REUSEADDR`,
   * and with `SO_REUSEPORT` where asked for. An IPv6 address is IPv6 only unless it is `::`.
   * @throws Error whose `code` is the system's (`EADDRINUSE`)
   */
  bind(address: string, port: number, reusePort: boolean): number;
  /** Binds all threads of this process, those that will come too, to these CPUs. @throws Error with the system's `code` */
  pin(cpus: readonly number[]): void;
  createEngine(options: EngineOptions): NativeEngine;
}

export const CONTRACT = 2;

/** Numbers of `EngineOptions.events` for each event. */
export const EVENT_LENGTH = 6;

/** The kinds of events; the comment says what stands in `id`, `a` and `b`. */
export const Event = {
  /** A client. id: stream; a: listener; b: 1 where its local address is told too. Bytes: see `Accepted address`. */
  accepted: 1,
  /** id: stream. Bytes: what it sent. */
  bytes: 2,
  /** write() said false, and everything has gone now. id: stream. */
  drained: 3,
  /** FIN. id: stream. */
  ended: 4,
  /** Both directions are gone, and the number with them. id: stream; a: errno, 0 after an orderly close. */
  closed: 5,
  /** dial(): it is connected, and the first bytes are on their way. id: stream. */
  opened: 6,
  /** dial(): it is not, and the number is gone. id: stream; a: errno; b: 1 where bind() failed, 2 where connect() did. */
  failed: 7,
  /** A link has ended, both its streams are closed, and the number is gone. id: link; a: `LinkEnd`; b: bytes from the client; c: to it. */
  linkEnded: 8,
  /** accept() failed for want of descriptors or memory, and the listener has no credit now. id: listener; a: errno. */
  starved: 9,
} as const;

/** Why a link ended: the side that was first. */
export const LinkEnd = {
  clientClosed: 0,
  clientReset: 1,
  clientIdle: 2,
  serverClosed: 3,
  serverReset: 4,
  serverIdle: 5,
  /** stopLink() or evictLink() was first. */
  stopped: 6,
} as const;

export interface EngineOptions {
  /**
   * EVENT_LENGTH numbers for each event: kind, id, a, b (or for `linkEnded` the first count), then where its bytes begin in
   * `payload` and how many they are (for `linkEnded` the fifth is `c`). At least 256 events.
   */
  readonly events: Float64Array;
  /** What events carry; it is written over when `onEvents` has returned. At least 128 KiB: 64 KiB are read at once. */
  readonly payload: Uint8Array;
  /** So many events are there: each is taken as described above. What it throws is an uncaught exception, and ends its batch. */
  readonly onEvents: (count: number) => void;
  /** So many pipes, two descriptors each, may be open for bytes in bulk (splice); 0: never. */
  readonly pipes: number;
}

/**
 * Accepted address: 19 bytes of the peer: 4 or 6, its address (IPv4 in the first four of 16 bytes; IPv4-mapped IPv6 is
 * IPv4), its port (big endian); then, where `b` is 1, the same of the local side. It is told of listeners that are bound to
 * no single address; others have one.
 */
export const ADDRESS_BYTES = 19;

export interface NativeEngine {
  /** Listens on a copy of this descriptor; answers the listener. Nobody is accepted before there is credit. @throws Error with `code` */
  listen(descriptor: number, backlog: number): number;
  /** So many may be accepted from now on; the rest waits in the kernel's backlog. Replaces what was left before. */
  credit(listener: number, count: number): void;
  /** Closes this copy. */
  unlisten(listener: number): void;

  /**
   * Connects, from a source address and port where they are given (port 0: any, `IP_BIND_ADDRESS_NO_PORT`), with
   * `TCP_NODELAY`; sends `first` in one write when it is connected. Answers the stream; `opened` or `failed` follows. Its
   * deadline is the caller's: reset() gives it up, and nothing is told of it any more.
   * @throws Error with `code` ENFILE where there are 2^20 streams already
   */
  dial(address: string, port: number, from: string | null, fromPort: number, first: Uint8Array): number;

  /**
   * Streams begin paused. While paused only `closed` (a reset), `drained` and `opened` or `failed` are told; of a stream
   * that was dialled a reset waits too, for what the server sent before it is read first.
   */
  resume(stream: number): void;
  pause(stream: number): void;
  /** True: the kernel has taken everything. False: the rest waits here (a copy), and `drained` follows. */
  write(stream: number, bytes: Uint8Array): boolean;
  /** FIN, behind everything written. `closed` follows when the peer's FIN is there too. */
  end(stream: number): void;
  /** Sends what is written, then closes both directions; what the peer still sends is dropped. `closed` follows with 0. */
  close(stream: number): void;
  /** Sends what is written, then RST. `closed` follows. */
  abort(stream: number): void;
  /** RST now. `closed` follows with ECONNABORTED; after a dial that is not open yet, nothing does. */
  reset(stream: number): void;
  /** TCP keep-alive after so much silence; and `TCP_USER_TIMEOUT` of 2 minutes for what the peer does not acknowledge. */
  keepAlive(stream: number, idleMs: number): void;
  /** Bytes received and sent (or waiting to be) so far, into `out[0]` and `out[1]`. False: it is gone. */
  counts(stream: number, out: Float64Array): boolean;

  /**
   * Makes a link of a client's and a server's stream, whose numbers are gone with it; answers the link. `toClient` goes to
   * the client first. What is still to be written to either, and everything the kernel has of either, is kept in order.
   * `options`: bit 0: follow the server's MQTT packets, `toClient` being the first bytes of one; bit 1: keep-alive on both.
   * Idle limits in milliseconds, -1: none. `meter`: what bytes are added to. -1: one of them is gone already, or there
   * are as many links as there can be; then they stay as they are.
   */
  link(
    client: number,
    server: number,
    toClient: Uint8Array,
    clientIdleMs: number,
    serverIdleMs: number,
    options: number,
    meter: number,
  ): number;
  /** Ends it: 0: what is written is still sent, nothing more is read; 1: RST to the client now, and to the server soon after. */
  stopLink(link: number, how: 0 | 1): void;
  /**
   * Asks the client to leave (`Farewell`): with these words between two packets; empty: without. False: it ends already, and
   * nothing is done. One that ends by itself before its thread hears of this answers true, and is told with its own end.
   */
  evictLink(link: number, words: Uint8Array): boolean;
  /** Bytes from the client and to it, since its stream was opened, into `out[0]` and `out[1]`. False: it has ended. */
  linkCounts(link: number, out: Float64Array): boolean;

  /** A pair of sums that links add to; answers its number. */
  openMeter(): number;
  /** What was added since the last time, into `out[0]` (from clients) and `out[1]` (to clients). */
  readMeter(meter: number, out: Float64Array): void;
  /** No link uses it any more. */
  closeMeter(meter: number): void;

  /** For tests and `limpet doctor`: streams, links, pipes for splice, bytes that wait, records that were made, into `out[0..4]`. */
  census(out: Float64Array): void;
  /** Closes everything, the thread too. Nothing is told any more. */
  shutDown(): void;
}
