import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { Endpoint } from '../config/endpoint.ts';
import type { Beat } from '../pair/state.ts';
import { type Datagram, decodeDatagram, encodeDatagram } from './codec.ts';
import { deaf, type Hearing, judgeDatagram } from './hearing.ts';

export interface LinkOptions {
  readonly name: string;
  readonly self: Endpoint;
  readonly peer: Endpoint;
  readonly secret: Buffer;
  readonly deadMs: number;
  readonly leaseMs: number;
  readonly onBeat: (beat: Beat) => void;
  /** Something that the operator should look at; told once each. */
  readonly onTrouble: (message: string) => void;
}

/** A flood of hellos gets no more answers than this. */
const helloEveryMs = 5;
/** How many send times are kept, to know how old an answer is. */
const remembered = 1024;

/**
 * The heartbeats between the two hosts: datagrams from our address to the other one's, and back. Losses are normal and are
 * not told. Whoever opened it closes it.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  readonly #boot: bigint = randomBytes(8).readBigUInt64BE() | 1n;
  readonly #sentMs: number[] = [];
  readonly #told = new Set<string>();
  #sent = 0;
  #hearing: Hearing = deaf;
  #greetedMs = -Infinity;
  #last: Omit<Beat, 'hearsUs'> | null = null;

  private constructor(options: LinkOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    socket.on('message', (bytes, from) => this.#receive(bytes, from.address, from.port));
    socket.on('error', error => this.#tell(`the socket of the heartbeats: ${error.message}`));
  }

  /** @throws the system's error, where the address is not on this host or the port is taken */
  static async open(options: LinkOptions): Promise<Link> {
    const socket = createSocket(options.self.family === 6 ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(options.self.port, options.self.host, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    return new Link(options, socket);
  }

  send(beat: Omit<Beat, 'hearsUs'>): void {
    this.#last = beat;
    this.#send(beat, this.#hearing.boot ?? 0n, this.#hearing.sequence);
  }

  close(): void {
    this.#socket.close();
  }

  #send(beat: Omit<Beat, 'hearsUs'>, echoBoot: bigint, echoSequence: number): void {
    const { name, self, peer, secret, deadMs, leaseMs } = this.#options;
    this.#sent += 1;
    this.#sentMs[this.#sent % remembered] = performance.now();
    const own = { name, node: self.text, boot: this.#boot, sequence: this.#sent, deadMs, leaseMs };
    const bytes = encodeDatagram({ ...beat, ...own, echoBoot, echoSequence }, secret);
    // No route, no buffer: the other host will not hear us, which is what it is there to notice.
    this.#socket.send(bytes, peer.port, peer.host, () => undefined);
  }

  #receive(bytes: Buffer, host: string, port: number): void {
    const { peer, secret, name } = this.#options;
    if (host !== peer.host || port !== peer.port) return;
    const datagram = decodeDatagram(bytes, secret);
    if (datagram === null) {
      this.#tell(`a datagram of ${peer.text} was not made with our secret`);
      return;
    }
    const ears = { name, peer: peer.text, boot: this.#boot };
    const heard = judgeDatagram(this.#hearing, datagram, ears, this.#sent);
    if (heard.is === 'foreign') {
      this.#tell(`${peer.text} speaks for another name or host: compare both files`);
      return;
    }
    if (heard.is === 'hello') {
      this.#greet(datagram);
      return;
    }
    if (heard.is === 'old') return;
    this.#hearing = heard.hearing;
    // Else it waits for our next heartbeat until it knows that we are alive.
    if (heard.isNew) this.#greet(datagram);
    this.#compare(datagram);
    this.#options.onBeat({ ...beatIn(datagram), hearsUs: this.#isHeard() });
  }

  /** Answers it at once, so that it can prove itself. */
  #greet(datagram: Datagram): void {
    const nowMs = performance.now();
    if (this.#last === null || nowMs - this.#greetedMs < helloEveryMs) return;
    this.#greetedMs = nowMs;
    this.#send(this.#last, datagram.boot, datagram.sequence);
  }

  #isHeard(): boolean {
    const { echoed } = this.#hearing;
    const sentMs = echoed > 0 && this.#sent - echoed < remembered ? this.#sentMs[echoed % remembered] : undefined;
    return sentMs !== undefined && performance.now() - sentMs < this.#options.deadMs;
  }

  #compare(datagram: Datagram): void {
    const { deadMs, leaseMs, peer } = this.#options;
    if (datagram.deadMs === deadMs && datagram.leaseMs === leaseMs) return;
    this.#tell(
      `${peer.text} has another dead_after or lease (${datagram.deadMs} ms, ${datagram.leaseMs} ms): make them equal`,
    );
  }

  #tell(message: string): void {
    if (this.#told.has(message) || this.#told.size > 16) return;
    this.#told.add(message);
    this.#options.onTrouble(message);
  }
}

function beatIn({ role, ready, wants, grade, priority, fence }: Datagram): Omit<Beat, 'hearsUs'> {
  return { role, ready, wants, grade, priority, fence };
}
