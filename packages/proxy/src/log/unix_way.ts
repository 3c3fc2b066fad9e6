import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { StreamWay } from './stream_way.ts';
import { codedError, type Sent, sendLines, type Way } from './way.ts';

/** What is used of unix-dgram: Node itself has no datagrams on unix sockets. Its callbacks come at once. */
interface DatagramSocket {
  on(event: 'error', listener: (error: { readonly errno?: number }) => void): this;
  /** After a line that found the server behind. */
  on(event: 'writable', listener: () => void): this;
  connect(path: string): void;
  send(bytes: Buffer, done: (error?: { readonly errno?: number; readonly code?: number }) => void): void;
  close(): void;
}
interface UnixDatagrams {
  createSocket(type: 'unix_dgram'): DatagramSocket;
}

/** Longer than a server that works is behind. */
const WRITABLE_MS = 500;

/** Null: it is optional, for it is compiled where it is installed. */
export function loadUnixDatagrams(): UnixDatagrams | null {
  try {
    const require = createRequire(import.meta.url);
    // By its real path: package managers link packages, and what this one needs lies beside it.
    return require(realpathSync(require.resolve('unix-dgram'))) as UnixDatagrams;
  } catch {
    return null;
  }
}

/**
 * A unix socket of a syslog server: /dev/log is one for datagrams with journald and rsyslog, and one for a stream with
 * others. What it is, is found out at each connection, for the server may have been replaced. A socket for datagrams holds
 * the event loop (unix-dgram cannot let it go): who has one ends by process.exit().
 */
export class UnixWay implements Way {
  readonly #path: string;
  readonly #datagrams: UnixDatagrams | null;
  readonly #stream: StreamWay;
  #socket: DatagramSocket | null = null;
  #isStream = false;
  /** A piece that waits until the server has room. */
  #onWritable: (() => void) | null = null;

  constructor(path: string, datagrams: UnixDatagrams | null) {
    this.#path = path;
    this.#datagrams = datagrams;
    this.#stream = new StreamWay({ path });
  }

  send(bytes: Buffer, sent: Sent): void {
    const failure = this.#isStream || this.#socket !== null ? null : this.#connect();
    const socket = this.#socket;
    if (failure !== null) sent(failure, 0);
    else if (socket === null) this.#sendStream(bytes, sent);
    else sendLines(bytes, line => this.#sendDatagram(socket, line), this.#patient(bytes, sent));
  }

  reopen(): null {
    this.#drop();
    this.#isStream = false;
    return this.#stream.reopen();
  }

  /** The kernel keeps ten datagrams for a server that is behind (net.unix.max_dgram_qlen): asked by the clock they would crawl. */
  #patient(bytes: Buffer, sent: Sent): Sent {
    return (error, written, lost) => {
      if (error?.code !== 'EAGAIN') {
        sent(error, written, lost);
        return;
      }
      const late = setTimeout(() => {
        this.#onWritable = null;
        sent(error, 0);
      }, WRITABLE_MS);
      this.#onWritable = () => {
        clearTimeout(late);
        this.#onWritable = null;
        this.send(bytes, sent);
      };
    };
  }

  #sendStream(bytes: Buffer, sent: Sent): void {
    this.#stream.send(bytes, (error, written) => {
      if (error !== null) this.#isStream = false;
      sent(error, written);
    });
  }

  #sendDatagram(socket: DatagramSocket, line: Buffer): NodeJS.ErrnoException | null {
    let failure: NodeJS.ErrnoException | null = null;
    socket.send(line, error => {
      // 1: the server is behind (unix-dgram's own word).
      if (error?.code === 1) failure = codedError('EAGAIN');
      else if (error !== undefined) failure = systemError(error);
    });
    if (failure !== null && !['EAGAIN', 'EMSGSIZE'].includes(codeOf(failure))) this.#drop();
    return failure;
  }

  /** Leaves a socket, or finds that it is a stream's. */
  #connect(): NodeJS.ErrnoException | null {
    if (this.#datagrams === null) {
      this.#isStream = true;
      return null;
    }
    let failure: NodeJS.ErrnoException | null = null;
    const socket = this.#datagrams.createSocket('unix_dgram');
    socket.on('error', error => {
      failure = systemError(error);
    });
    socket.on('writable', () => this.#onWritable?.());
    socket.connect(this.#path);
    if (failure === null) {
      this.#socket = socket;
      return null;
    }
    socket.close();
    this.#isStream = codeOf(failure) === 'EPROTOTYPE';
    return this.#isStream ? null : failure;
  }

  #drop(): void {
    this.#socket?.close();
    this.#socket = null;
  }
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? '';
}

/** unix-dgram tells the number only. */
function systemError({ errno = 0 }: { readonly errno?: number }): NodeJS.ErrnoException {
  const code = Object.entries(constants.errno).find(([, number]) => number === Math.abs(errno))?.[0];
  return codedError(code ?? `errno ${errno}`);
}
