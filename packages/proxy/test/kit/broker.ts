/**
 * A scripted broker, for what no real broker does at a test's word. It keeps every byte that it receives.
 */
import { createServer, type Server } from 'node:net';
import { until } from './condition.ts';
import { RawSocket } from './raw_socket.ts';

/** What the broker does with a connection; `number` counts them from 0. */
export type Script = (peer: RawSocket, number: number) => void;

const streamChunk = 64 * 1024;

/** Listens on a free port of 127.0.0.1. */
export async function startBroker(script: Script = accepts()): Promise<ScriptedBroker> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const broker = new ScriptedBroker(server, script);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
  return broker;
}

/** Disposing of it closes every connection. */
export class ScriptedBroker implements AsyncDisposable {
  /** What happens to the next connections; may be changed at any time. */
  script: Script;
  /** Every connection, oldest first, closed ones too. */
  readonly peers: readonly RawSocket[];
  readonly #server: Server;

  constructor(server: Server, script: Script) {
    this.#server = server;
    this.script = script;
    const peers: RawSocket[] = [];
    this.peers = peers;
    server.on('connection', socket => {
      const peer = new RawSocket(socket, 'the scripted broker');
      peers.push(peer);
      this.script(peer, peers.length - 1);
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the scripted broker has ended');
    return address.port;
  }

  /** The connection with that number, from 0, as soon as it is there. */
  async waitForPeer(number: number, timeoutMs = 10_000): Promise<RawSocket> {
    return until(() => this.peers[number], { what: `connection ${number} at the scripted broker`, timeoutMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    for (const peer of this.peers) peer[Symbol.dispose]();
    await closed;
  }
}

/** Accepts every CONNECT with a plain CONNACK of its own version, and answers nothing else. */
export function accepts(): Script {
  return refuses(0);
}

/** Answers every CONNECT with a CONNACK of that code (3.x: return code; 5.0: reason code) and leaves it open. */
export function refuses(code: number): Script {
  return answers(first => connack(protocolLevel(first), code));
}

/** Answers the first packet with the given bytes. */
function answers(answer: Uint8Array | ((first: Buffer) => Uint8Array)): Script {
  return peer => {
    onFirstPacket(peer, first => void peer.write(typeof answer === 'function' ? answer(first) : answer).catch(gone));
  };
}

/** Takes everything and says nothing. */
export function neverAnswers(): Script {
  return () => undefined;
}

/** Ends the connection without a word, before it has said one. */
export function closesAtOnce(how: 'fin' | 'rst'): Script {
  return peer => {
    if (how === 'rst') peer.reset();
    else peer[Symbol.dispose]();
  };
}

/** Accepts, then sends `total` bytes as fast as they are taken: the bytes of `streamBytes(total)`. */
export function streams(total: number): Script {
  return peer => {
    const send = async (first: Buffer): Promise<void> => {
      await peer.write(connack(protocolLevel(first), 0));
      for (let sent = 0; sent < total; sent += streamChunk) {
        await peer.write(streamBytes(Math.min(streamChunk, total - sent), sent));
      }
    };
    onFirstPacket(peer, first => void send(first).catch(gone));
  };
}

/** Bytes `from` to `from + count` of an endless stream in which a lost, doubled or moved piece shows. */
export function streamBytes(count: number, from = 0): Buffer {
  const bytes = Buffer.allocUnsafe(count);
  for (let index = 0; index < count; index += 1) {
    const place = from + index;
    bytes[index] = (place ^ (place >>> 8) ^ (place >>> 16)) & 0xff;
  }
  return bytes;
}

/** A CONNACK without properties (MQTT 3.1.1 section 3.2; MQTT 5.0 section 3.2). */
export function connack(level: number, code: number): Buffer {
  return Buffer.from(level === 5 ? [0x20, 3, 0, code, 0] : [0x20, 2, 0, code]);
}

/** Calls once, when the first packet is whole; what follows it is the caller's to look for. */
function onFirstPacket(peer: RawSocket, action: (packet: Buffer) => void): void {
  let done = false;
  peer.onBytes(() => {
    if (done) return;
    const bytes = peer.received();
    const length = firstPacketLength(bytes);
    if (length === null || bytes.length < length) return;
    done = true;
    action(bytes.subarray(0, length));
  });
}

/** Length of the first packet with its fixed header; null while its Remaining Length is not whole (section 2.2.3). */
function firstPacketLength(bytes: Buffer): number | null {
  let remaining = 0;
  for (let index = 1; index <= 4; index += 1) {
    const byte = bytes[index];
    if (byte === undefined) return null;
    remaining += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) return 1 + index + remaining;
  }
  return null;
}

/** The protocol level of a CONNECT (section 3.1.2.2), without the bridge bit: it stands behind the protocol name. */
function protocolLevel(packet: Buffer): number {
  const name = 1 + packet.subarray(1).findIndex(byte => byte < 0x80) + 1;
  return (packet[name + 2 + packet.readUInt16BE(name)] ?? 4) & 0x7f;
}

/** The peer left in the middle: the test sees that by `closed`. */
function gone(): void {}
