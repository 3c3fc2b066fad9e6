/** P10 over TLS and WebSocket: a client that stops reading does not grow the proxy, and others are served. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connack, type ScriptedBroker, startBroker, streamBytes, streams } from '../kit/broker.ts';
import { makeAuthority } from '../kit/certificates.ts';
import { until } from '../kit/condition.ts';
import { connectFor } from '../kit/connects.ts';
import { startForeign } from '../kit/foreign_broker.ts';
import type { Limpet } from '../kit/limpet.ts';
import { residentBytes } from '../kit/proc.ts';
import { connectRawTls } from '../kit/raw_tls.ts';
import { ownFrames, startWaysIn } from '../kit/ways_in.ts';
import { openWebSocket } from '../kit/web_socket.ts';

const MIB = 1024 ** 2;
/**
 * What the broker has for each client: more than the kernel takes on the way (32 MiB where net.ipv4.tcp_rmem allows it, and 4 for
 * each sender), and little enough for a client that does read to check every byte.
 */
const STREAM = 48 * MIB;
const STREAMS = 10;
const SLOW_MS = 60_000;
/** Of each stalled stream: buffers of TLS and of frames, and what waits for V8. Nothing beside a stream of 48 MiB. */
const MOST_EACH = 3 * MIB;

/** A client of either way, as far as this test needs it. */
interface Reader extends Disposable {
  readonly bytesIn: number;
  stopReading(): void;
  readAgain(): void;
  connect(): Promise<void>;
  received(): Buffer;
  forget(): void;
}

type Open = () => Promise<Reader>;

async function overTls(port: number, ca: string): Promise<Reader> {
  const raw = await connectRawTls(port, ca);
  return {
    get bytesIn() {
      return raw.bytesIn;
    },
    stopReading: () => raw.stopReading(),
    readAgain: () => raw.readAgain(),
    connect: () => raw.write(connectFor({ clientId: 'stream' })),
    received: () => raw.received(),
    forget: () => raw.forget(),
    [Symbol.dispose]: () => raw[Symbol.dispose](),
  };
}

async function overWebSocket(port: number, ca?: string): Promise<Reader> {
  const client = await openWebSocket(port, ca === undefined ? {} : { ca });
  return {
    get bytesIn() {
      return client.bytesIn;
    },
    stopReading: () => client.ws.pause(),
    readAgain: () => client.ws.resume(),
    connect: () => client.send(connectFor({ clientId: 'stream' })),
    received: () => client.received(),
    forget: () => client.forget(),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** What the worker holds: the median of samples over a second, for the garbage collector's sake. */
async function memory(limpet: Limpet): Promise<number> {
  const samples: number[] = [];
  const [pid = 0] = limpet.workers();
  for (let sample = 0; sample < 21; sample += 1) {
    samples.push(residentBytes(pid));
    await delay(50);
  }
  return median(samples);
}

/** Resolves when these counts have stood still for a second, above zero: the buffers of the kernel are full. */
async function standstill(counts: () => readonly number[]): Promise<readonly number[]> {
  let last: readonly number[] = [];
  let sinceMs = performance.now();
  const isStill = (): boolean => {
    const now = counts();
    if (now.join() !== last.join()) [last, sinceMs] = [now, performance.now()];
    return now.length === STREAMS && now.every(count => count > 0) && performance.now() - sinceMs > 1000;
  };
  await until(isStill, { what: 'the streams to stand still', timeoutMs: SLOW_MS });
  return last;
}

async function many(open: Open, isReading: boolean): Promise<Reader[]> {
  const readers: Reader[] = [];
  while (readers.length < STREAMS) {
    const reader = await open();
    reader.forget();
    if (!isReading) reader.stopReading();
    await reader.connect();
    readers.push(reader);
  }
  return readers;
}

/** Streams that are read to their end, so that the heap has grown to what it needs; then ten that nobody reads. */
async function expectCheap(what: string, limpet: Limpet, open: Open, sent: (from: number) => number[]): Promise<void> {
  const whole = connack(4, 0).length + STREAM;
  const warm = await many(open, true);
  for (const reader of warm) {
    await until(() => reader.bytesIn >= whole, { what: 'a whole stream', timeoutMs: SLOW_MS });
    reader[Symbol.dispose]();
  }
  const before = await memory(limpet);
  const stalled = await many(open, false);
  const counts = await standstill(() => sent(STREAMS));
  const growth = (await memory(limpet)) - before;
  // Somebody else comes, and gets all of it while they stand still.
  using other = await open();
  await other.connect();
  await until(() => other.bytesIn >= whole, { what: 'the stream of another client', timeoutMs: SLOW_MS });
  expect(other.received().equals(Buffer.concat([connack(4, 0), streamBytes(STREAM)]))).toBe(true);
  expect(stalled.every(reader => reader.bytesIn < STREAM / 2)).toBe(true);
  expect(Math.max(...counts)).toBeLessThan(STREAM);
  console.log(
    `${what}: ${STREAMS} streams stalled after ${(median(counts) / MIB).toFixed(2)} MiB each; ${(before / MIB).toFixed(0)} ` +
      `MiB before, growth ${(growth / MIB).toFixed(1)} MiB`,
  );
  expect(growth).toBeLessThan(STREAMS * MOST_EACH);
  // And one of them goes on where it stood.
  const [first] = stalled;
  first?.readAgain();
  await until(() => (first?.bytesIn ?? 0) >= whole, { what: 'the rest of a stalled stream', timeoutMs: SLOW_MS });
  for (const reader of stalled) reader[Symbol.dispose]();
}

/** What has left the broker's process on each connection from that number on. */
function sentBy(broker: ScriptedBroker): (from: number) => number[] {
  return from =>
    // The last ones: whatever came before them is none of theirs.
    broker.peers
      .slice(Math.max(from, broker.peers.length - STREAMS))
      .map(({ socket }) => socket.bytesWritten - socket.writableLength);
}

test('P10: clients that stop reading over TLS, and over WebSocket in TLS, unwrapped', async () => {
  await using authority = await makeAuthority();
  const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
  for (const way of ['mqtts', 'wss'] as const) {
    await using broker = await startBroker(streams(STREAM));
    await using limpet = await startWaysIn({ certificate, ways: [way], servers: { b: `127.0.0.1:${broker.port}` } });
    const port = limpet.port(way);
    const open = (): Promise<Reader> => (way === 'mqtts' ? overTls : overWebSocket)(port, authority.ca);
    await expectCheap(way, limpet, open, sentBy(broker));
  }
});

test('P10: clients that stop reading over WebSocket in TLS, frames untouched', async () => {
  await using authority = await makeAuthority();
  const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
  await using broker = await startForeign({ streamBytes: STREAM });
  await using limpet = await startWaysIn({ certificate, ways: ['wss'], servers: { b: ownFrames(broker.port) } });
  const open = (): Promise<Reader> => overWebSocket(limpet.port('wss'), authority.ca);
  // The last ones, for the same reason as above.
  const sent = (from: number): number[] =>
    broker.peers.slice(Math.max(from, broker.peers.length - STREAMS)).map(({ sentBytes }) => sentBytes);
  await expectCheap('wss, frames untouched', limpet, open, sent);
});
