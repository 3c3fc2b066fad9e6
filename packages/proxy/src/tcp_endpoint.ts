import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type Endpoint, type EndpointListener, NOBODY } from './endpoint.ts';
import { errorCode } from './errors.ts';
import { gatherRead, tellGathered } from './gathered_read.ts';
import { type Borrower, isLent, ownCopy, writeLent } from './lent_bytes.ts';
import { copyOfRead, lendRead, readStatically } from './static_read.ts';

const NOTHING = Buffer.alloc(0);

/**
 * A side over TCP, plain or TLS. Takes over the socket, which must be open or connecting, paused and made with
 * `allowHalfOpen`; nobody else touches the socket afterwards.
 */
export class TcpEndpoint implements Endpoint {
  readonly #socket: Socket;
  readonly #transport: Socket;
  readonly #skipped: number;
  #listener: EndpointListener = NOBODY;
  #code: string | null = null;
  #closed = false;
  #flowing = false;
  /** close() was called: whatever comes is told as it comes, and nobody needs it. */
  #isClosing = false;
  /** What nobody was to be told of when it was read. TLS hands over all that it has opened, whether paused or not. */
  #held: Buffer[] | null = null;
  /** Until something was said to the peer, what it says may have to wait: a CONNECT for its turn, or for a broker. */
  #isKept = true;
  /** Hears what was gathered of its records; null: it is no TLS. */
  readonly #records: Borrower | null;
  /** Its stream never flows: what is read does not go through it. */
  readonly #isStatic: boolean;
  #awaitsDrain = false;
  /** Nothing is being written: what is written meanwhile waits for that, though no bytes do. */
  #isAsking = false;
  /** FIN: `unseen`, `waiting` for somebody who listens, `told`. */
  #fin: 'unseen' | 'waiting' | 'told' = 'unseen';

  /**
   * `transport` is the TCP connection itself, where `socket` is TLS on top of it; `skipped` is how many bytes were read
   * of it before and are not to be counted.
   */
  constructor(socket: Socket, transport: Socket = socket, skipped = 0) {
    this.#skipped = skipped;
    this.#socket = socket;
    this.#transport = transport;
    this.#records = socket === transport ? null : { bytes: chunk => this.#hearGathered(chunk) };
    this.#isStatic = this.#read();
    socket.on('end', () => this.#confirmEnd());
    socket.on('error', error => {
      this.#code ??= errorCode(error);
      // TLS tells an error in its records, and leaves the connection open.
      socket.destroy();
    });
    socket.on('close', () => {
      this.#flush();
      // A destroyed socket's bytes are nobody's: the close comes last.
      this.#held = null;
      this.#closed = true;
      this.#listener.closed(this.#code);
    });
  }

  attach(listener: EndpointListener): void {
    this.#listener = listener;
    // A socket may die between two stages; whoever comes next must still be told.
    if (this.#closed) queueMicrotask(() => this.#listener === listener && listener.closed(this.#code));
  }

  resume(): void {
    this.#flowing = true;
    this.#readOn();
    if (this.#fin === 'waiting') queueMicrotask(() => this.#tellEnd());
  }

  /**
   * A relay stops libuv at once: a stalled peer's bytes are best left to the kernel. Anybody else may pause for long with
   * nothing coming, and must still hear of a reset: libuv reads on, until there is something that has to be held.
   */
  pause(): void {
    this.#flowing = false;
    if (this.#listener.passesOn === true) this.#socket.pause();
    else if (!this.#isStatic) Readable.prototype.pause.call(this.#socket);
  }

  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    this.#isKept = false;
    const hasRoom = this.#send(bytes);
    if (!hasRoom && !this.#awaitsDrain) {
      this.#awaitsDrain = true;
      socket.once('drain', () => {
        this.#awaitsDrain = false;
        this.#listener.drained();
      });
    }
    return hasRoom;
  }

  /** What does not go out at once must live by itself, and keep nothing else alive: a peer may be slow. */
  #send(bytes: Buffer): boolean {
    const socket = this.#socket;
    const isTls = socket !== this.#transport;
    const isFirst = socket.writableLength === 0 && !this.#isAsking;
    if (!isFirst || (isTls && !isLent(bytes))) return socket.write(ownCopy(bytes));
    // Node has OpenSSL encrypt all of it, or copies it, before write() returns.
    return isTls || !isLent(bytes) ? socket.write(bytes) : writeLent(socket, bytes);
  }

  /** Writes nothing, behind everything that was written. */
  #ask(answered: (error?: Error | null) => void): void {
    this.#isAsking = true;
    this.#socket.write(NOTHING, error => {
      this.#isAsking = false;
      answered(error);
    });
  }

  end(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // Where the peer has said FIN and nothing waits, to close the socket says FIN too, and is all that would be left to do.
    if (this.#fin === 'told' && this.#isIdle && socket === this.#transport) socket.destroy();
    else socket.end();
  }

  close(): void {
    // What the peer still sends is of no use to anybody, but unread bytes would turn our FIN into RST.
    this.#isClosing = true;
    this.#readOn();
    this.#socket.destroySoon();
  }

  abort(): void {
    if (this.#socket.writableLength === 0) this.reset();
    else if (this.#socket.writableEnded) this.#socket.once('finish', () => this.reset());
    else this.#ask(() => this.reset());
  }

  reset(): void {
    if (this.#socket.destroyed) return;
    this.#code ??= 'ECONNABORTED';
    // While a FIN is on its way to the kernel libuv refuses to reset (EINVAL), and Node then never tells of the close.
    if (this.#isSendingFin) this.#socket.once('finish', () => this.#transport.resetAndDestroy());
    else this.#transport.resetAndDestroy();
  }

  /** Nothing is written that the kernel has not taken, not even a FIN. */
  get #isIdle(): boolean {
    return this.#socket.writableLength === 0 && !this.#socket.writableEnded;
  }

  get #isSendingFin(): boolean {
    const { writableEnded, writableLength, writableFinished } = this.#socket;
    return writableEnded && writableLength === 0 && !writableFinished;
  }

  keepAlive(idleMs: number): void {
    this.#transport.setKeepAlive(true, idleMs);
  }

  /** Whether it is read statically. */
  #read(): boolean {
    const socket = this.#socket;
    // Paused first: a listener for 'data' sets a socket going otherwise.
    socket.pause();
    if (!readStatically(socket, bytes => this.#take(bytes))) {
      socket.on('data', chunk => this.#hear(chunk as Buffer));
      return false;
    }
    // What an earlier stage has put back, or TLS has opened behind the handshake.
    const early: Buffer | null = socket.readableLength === 0 ? null : socket.read();
    if (early !== null) this.#held = [early];
    return true;
  }

  /** What is held comes first, later in this turn. */
  #readOn(): void {
    if (this.#held === null) this.#start();
    else queueMicrotask(() => this.#catchUp());
  }

  /** Where a stream flows, each time that it begins to costs a tick of its own: to read nothing sets libuv going as well. */
  #start(): void {
    if (this.#isStatic) this.#socket.read(0);
    else this.#socket.resume();
  }

  /** False: it has to be held, so no more for now. A header or a handshake may have set libuv going before anybody has resumed (P10). */
  #take(bytes: number): boolean {
    const records = this.#records;
    if (records === null || !this.#isPassedOn) this.#flush();
    else if (gatherRead(bytes, records)) return true;
    // Asked again: who was told of what was kept may have said stop.
    if (this.#isPassedOn) lendRead(bytes, this.#listener);
    else this.#hear(copyOfRead(bytes, this.#isKept));
    return this.#held === null || this.#isClosing;
  }

  /** Whoever hears now does no more than to write it. */
  get #isPassedOn(): boolean {
    return this.#flowing && this.#held === null && this.#listener.passesOn === true;
  }

  /** Tells the records that are kept for the end of this turn. */
  #flush(): void {
    if (this.#records !== null) tellGathered(this.#records);
  }

  /** Somebody may have said stop since, or be another one, who passes nothing on. */
  #hearGathered(chunk: Buffer): void {
    this.#hear(this.#isPassedOn ? chunk : Buffer.from(chunk));
  }

  #hear(chunk: Buffer): void {
    if (this.#held !== null) this.#held.push(chunk);
    else if (this.#flowing || this.#isClosing) this.#listener.bytes(chunk);
    else this.#held = [chunk];
  }

  /** Tells what was held, until somebody says stop. */
  #catchUp(): void {
    const held = this.#held ?? [];
    let told = 0;
    while (told < held.length && (this.#flowing || this.#isClosing)) {
      this.#listener.bytes(held[told] as Buffer);
      told += 1;
    }
    if (told < held.length) held.splice(0, told);
    else this.#held = null;
    if (this.#held !== null || !(this.#flowing || this.#isClosing)) return;
    this.#start();
    this.#tellEnd();
  }

  /**
   * libuv tells an end, not an error, where RST comes right behind bytes (POLLHUP after a partial read). Writing nothing
   * asks the kernel: after RST it fails. Where bytes wait to be written, they will find out.
   */
  #confirmEnd(): void {
    const socket = this.#socket;
    const confirmed = (error?: Error | null): void => {
      if (error) return;
      this.#fin = 'waiting';
      this.#tellEnd();
    };
    this.#flush();
    if (socket.destroyed) return;
    if (socket.writableEnded || socket.writableLength > 0) confirmed();
    else this.#ask(confirmed);
  }

  /** A paused socket reads ahead, and tells an end that has no bytes before it: the next stage must still hear of it. */
  #tellEnd(): void {
    if (!this.#flowing || this.#closed || this.#held !== null || this.#fin !== 'waiting') return;
    this.#fin = 'told';
    this.#listener.ended();
  }

  get bytesIn(): number {
    return this.#socket.bytesRead - this.#skipped;
  }

  get bytesOut(): number {
    return this.#socket.bytesWritten;
  }
}
