/** P7: crowds that never finish their TLS handshake or their WebSocket upgrade keep nobody out, and end in time. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { accepts, startBroker } from '../kit/broker.ts';
import { type Authority, makeAuthority } from '../kit/certificates.ts';
import { connectClient } from '../kit/clients.ts';
import { until, within } from '../kit/condition.ts';
import type { Limpet } from '../kit/limpet.ts';
import { residentBytes } from '../kit/proc.ts';
import { startWaysIn } from '../kit/ways_in.ts';

const MIB = 1024 ** 2;
/** In the limit of 20,000 descriptors of this process, and of each worker. */
const HALF_OPEN = 10_000;
const TRICKLING = 2000;
const WORKERS = 2;
const BATCH = 500;
/** Of the timers, and of a machine that is busy with closing so many. */
const SLACK_MS = 8000;
const SLOW_MS = 40_000;

/** Connections that do nothing on their own, and how long each of them lived, in milliseconds. */
class HalfOpen implements Disposable {
  readonly livesMs: number[] = [];
  readonly bytesIn: Buffer[] = [];
  readonly #sockets: Socket[] = [];

  /** In batches, for the backlog's sake; `first` is what the one of that number says. */
  async add(port: number, count: number, first: (number: number) => Buffer): Promise<void> {
    for (let from = 0; from < count; from += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => from + index);
      await Promise.all(numbers.map(number => this.#open(port, first(number))));
    }
  }

  get sockets(): readonly Socket[] {
    return this.#sockets;
  }

  /** How many are still there. */
  get left(): number {
    return this.#sockets.length - this.livesMs.length;
  }

  async #open(port: number, bytes: Buffer): Promise<void> {
    const startMs = performance.now();
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', chunk => this.bytesIn.push(chunk));
    socket.once('close', () => this.livesMs.push(performance.now() - startMs));
    const open = new Promise<void>(resolve => socket.once('connect', () => resolve()));
    await within(open, { what: 'a TCP connection', timeoutMs: SLOW_MS });
    if (bytes.length > 0) socket.write(bytes);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** What a real client says first: taken from one that talks to nobody. */
async function clientHello(): Promise<Buffer> {
  await using nobody = await startBroker(() => undefined);
  const client = connectTls({ port: nobody.port, host: '127.0.0.1', servername: 'localhost' });
  client.on('error', () => undefined);
  const peer = await nobody.waitForPeer(0);
  // The header of a record says how long it is.
  await until(() => peer.bytesIn > 5 && peer.bytesIn >= 5 + peer.received().readUInt16BE(3), { what: 'a ClientHello' });
  client.destroy();
  return peer.received();
}

/** Looks at what the workers hold together until it is disposed of. */
class Memory implements Disposable {
  readonly before: number;
  peak: number;
  readonly #timer: NodeJS.Timeout;

  constructor(limpet: Limpet) {
    const pids = limpet.workers();
    const now = (): number => pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
    this.before = this.peak = now();
    this.#timer = setInterval(() => {
      this.peak = Math.max(this.peak, now());
    }, 100);
  }

  get growth(): number {
    return this.peak - this.before;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Milliseconds that each of so many clients took from nothing to its CONNACK, over mqtts and wss in turn. */
async function connectMeanwhile(limpet: Limpet, { ca }: Authority, count: number): Promise<number[]> {
  const tls = { ca: readFileSync(ca), servername: 'localhost' };
  const took: number[] = [];
  for (let number = 0; number < count; number += 1) {
    const protocol = number % 2 === 0 ? 'mqtts' : 'wss';
    const startMs = performance.now();
    const mqtt = { protocol, path: '/mqtt', ...tls, wsOptions: tls } as const;
    const options = { clientId: `meanwhile-${number}`, timeoutMs: 20_000, mqtt };
    const client = await connectClient(limpet.port(protocol), options);
    took.push(performance.now() - startMs);
    await client.drop();
  }
  return took.sort((a, b) => a - b);
}

function said(took: readonly number[]): string {
  const at = (share: number): string => (took[Math.floor((took.length - 1) * share)] ?? Number.NaN).toFixed(1);
  return `${took.length} clients connected meanwhile: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, worst ${at(1)} ms`;
}

function expectInTime(lives: readonly number[], deadlineMs: number): void {
  expect(Math.min(...lives)).toBeGreaterThan(deadlineMs - 100);
  expect(Math.max(...lives)).toBeLessThan(deadlineMs + SLACK_MS);
}

function livesOf({ livesMs }: HalfOpen): string {
  return `they lived ${Math.round(Math.min(...livesMs))} to ${Math.round(Math.max(...livesMs))} ms`;
}

test('P7: 10,000 half-open TLS handshakes keep nobody out, cost bounded memory, and end at timeout.handshake', async () => {
  const handshakeMs = 10_000;
  await using authority = await makeAuthority();
  const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
  await using broker = await startBroker(accepts());
  const defaults = { timeout: { handshake: `${handshakeMs}ms` } };
  const servers = { b: `127.0.0.1:${broker.port}` };
  await using limpet = await startWaysIn({ certificate, workers: WORKERS, servers, defaults });
  const pids = limpet.workers();
  const hello = await clientHello();
  await connectMeanwhile(limpet, authority, 20);
  const alone = await connectMeanwhile(limpet, authority, 20);
  using memory = new Memory(limpet);
  using crowd = new HalfOpen();
  // A third says nothing, a third half of a ClientHello, a third all of it, and never answers the server's flight.
  const cuts = [0, hello.length >> 1, hello.length];
  const startMs = performance.now();
  for (const [index, way] of (['mqtts', 'wss'] as const).entries()) {
    await crowd.add(limpet.port(way), HALF_OPEN / 2, number => hello.subarray(0, cuts[(number + index) % cuts.length]));
  }
  const openMs = performance.now() - startMs;
  // It waits for its turn behind those of the crowd that have a whole ClientHello there.
  const [first = Number.NaN] = await connectMeanwhile(limpet, authority, 1);
  const took = await connectMeanwhile(limpet, authority, 80);
  const left = crowd.left;
  console.log(
    `${HALF_OPEN} half-open handshakes in ${Math.round(openMs)} ms, ${left} of them there when all others had connected; ` +
      `without them: ${said(alone)}; the first behind them: ` +
      `${first.toFixed(1)} ms; then: ${said(took)}`,
  );
  await until(() => crowd.left === 0, {
    what: 'the end of them',
    timeoutMs: SLOW_MS,
    seen: () => `${crowd.left} left`,
  });
  console.log(`${livesOf(crowd)}; ${(memory.growth / MIB).toFixed(0)} MiB more at most in ${WORKERS} workers`);
  expectInTime(crowd.livesMs, handshakeMs);
  // 100 KiB for each, and 64 MiB for what V8 lets wait.
  expect(memory.growth).toBeLessThan(HALF_OPEN * 100 * 1024 + 64 * MIB);
  expect(left).toBeGreaterThan(HALF_OPEN / 10);
  expect(first).toBeLessThan(10_000);
  expect(took.at(-1)).toBeLessThan(3000);
  expect(limpet.workers()).toEqual(pids);
});

test('P7: 2,000 upgrade requests that trickle keep nobody out, cost bounded memory, and end at timeout.handshake', async () => {
  const handshakeMs = 5000;
  await using authority = await makeAuthority();
  const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
  await using broker = await startBroker(accepts());
  const defaults = { timeout: { handshake: `${handshakeMs}ms` } };
  const servers = { b: `127.0.0.1:${broker.port}` };
  await using limpet = await startWaysIn({ certificate, workers: WORKERS, servers, defaults });
  await connectMeanwhile(limpet, authority, 20);
  using memory = new Memory(limpet);
  using crowd = new HalfOpen();
  const piece = Buffer.from('X-Slow: 0123456789\r\n');
  let rounds = 0;
  const trickle = setInterval(() => {
    rounds += 1;
    // A byte each, five times a second.
    for (const socket of crowd.sockets) {
      if (socket.writable) socket.write(piece.subarray(rounds % piece.length, (rounds % piece.length) + 1));
    }
  }, 200);
  try {
    await crowd.add(limpet.port('ws'), TRICKLING, () =>
      Buffer.from('GET /mqtt HTTP/1.1\r\nHost: localhost\r\nX-First: '),
    );
    const took = await connectMeanwhile(limpet, authority, 80);
    console.log(`${crowd.left} trickle; ${said(took)}`);
    await until(() => crowd.left === 0, {
      what: 'the end of them',
      timeoutMs: SLOW_MS,
      seen: () => `${crowd.left} left`,
    });
    console.log(`${livesOf(crowd)}, ${rounds} rounds; ${(memory.growth / MIB).toFixed(0)} MiB more at most`);
    expectInTime(crowd.livesMs, handshakeMs);
    expect(rounds).toBeGreaterThan(10);
    expect(memory.growth).toBeLessThan(TRICKLING * 32 * 1024 + 64 * MIB);
    expect(took.at(-1)).toBeLessThan(3000);
  } finally {
    clearInterval(trickle);
  }
});
