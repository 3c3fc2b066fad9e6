import { createSocket, type Socket } from 'node:dgram';
import { type LookupAddress, lookup } from 'node:dns';
import { codedError, type Sent, sendLines, type Way } from './way.ts';

/** What may lie in the queue of the socket before it counts as behind. */
const QUEUE_BYTES = 256 * 1024;
/** What IPv4 can carry. */
const LONGEST_DATAGRAM_BYTES = 65_507;

/** One datagram a line. What the network loses is lost; what this host refuses is tried again. */
export class UdpWay implements Way {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | null = null;
  #isConnected = false;
  #failure: NodeJS.ErrnoException | null = null;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  send(bytes: Buffer, sent: Sent): void {
    const failure = this.#failure;
    if (failure !== null) {
      // Once: the next attempt looks the host up again.
      this.#drop();
      sent(failure, 0);
      return;
    }
    if (this.#socket === null) {
      this.#connect(error => (error === null ? this.send(bytes, sent) : sent(error, 0)));
      return;
    }
    const socket = this.#socket;
    sendLines(bytes, line => this.#sendLine(socket, line), sent);
  }

  reopen(): null {
    this.#drop();
    return null;
  }

  /** Taken by this host's queue, at least. What becomes of it then is the next one's news. */
  #sendLine(socket: Socket, line: Buffer): NodeJS.ErrnoException | null {
    if (!this.#isConnected || socket.getSendQueueSize() > QUEUE_BYTES) return codedError('EAGAIN');
    if (line.length > LONGEST_DATAGRAM_BYTES) return codedError('EMSGSIZE');
    socket.send(line, error => {
      if (error !== null && socket === this.#socket) this.#failure ??= error;
    });
    return null;
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isConnected = false;
    this.#failure = null;
    socket?.close();
  }

  /** IPv4 before IPv6, where a name has both: nobody answers who could tell that one of them is wrong. */
  #connect(done: (error: NodeJS.ErrnoException | null) => void): void {
    lookup(this.#host, { all: true }, (error, addresses) => {
      const found = addresses?.find(({ family }) => family === 4) ?? addresses?.[0];
      if (error !== null || found === undefined) done(error ?? codedError('ENOTFOUND'));
      else this.#open(found, done);
    });
  }

  /** A connected socket hears when nobody listens there. */
  #open({ address, family }: LookupAddress, done: (error: NodeJS.ErrnoException | null) => void): void {
    let answer: typeof done | null = done;
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4').unref();
    this.#socket = socket;
    const settle = (error: NodeJS.ErrnoException | null): void => {
      const waiting = answer;
      answer = null;
      if (socket === this.#socket) {
        if (error === null) this.#isConnected = true;
        else if (waiting === null) this.#failure ??= error;
        else this.#drop();
      }
      waiting?.(error);
    };
    socket.on('error', settle);
    // A socket that is let go before it was connected tells nobody else.
    socket.once('close', () => settle(codedError('EAGAIN')));
    socket.connect(this.#port, address, () => settle(null));
  }
}
