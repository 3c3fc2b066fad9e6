/** P10: a stalled client or broker stops its own stream only, in bounded memory. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { accepts, type Script, startBroker, streams } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { PINGREQ, PINGRESP, Pings } from '../kit/pings.ts';
import { residentBytes } from '../kit/proc.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';

const MIB = 1024 ** 2;
const STREAM = 100_000_000;
const CONNACK_BYTES = 4;
const CONNECT_BYTES = connectFor({ clientId: 'stream' }).length;
/**
 * So many stall at once, and what one costs is told of all: Node's garbage alone moves the memory of a process by more
 * than one would show, up or down, from one moment to the next. For the same reason it is the median of three rounds.
 */
const STREAMS = 10;
const SLOW_MS = 60_000;

/** What a broker does with a client called `ping`: answers every PINGREQ. */
const answersPings: Script = (peer, number) => {
  accepts()(peer, number);
  const head = connectFor({ clientId: 'ping' }).length;
  let answered = 0;
  peer.onBytes(() => {
    for (; head + (answered + 1) * PINGREQ.length <= peer.bytesIn; answered += 1) {
      void peer.write(PINGRESP).catch(() => undefined);
    }
  });
};

/** The first connection is the one that pings, all others are streams. */
function pingsThen(script: Script): Script {
  return (peer, number) => (number === 0 ? answersPings : script)(peer, number);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** What the worker holds: the median of samples over two seconds, for the garbage collector's sake. */
async function memory(limpet: Limpet): Promise<number> {
  const samples: number[] = [];
  const [pid = 0] = limpet.workers();
  for (let sample = 0; sample < 41; sample += 1) {
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
    return now.every(count => count > 0) && performance.now() - sinceMs > 1000;
  };
  await until(isStill, { what: 'the streams to stand still', timeoutMs: SLOW_MS });
  return last;
}

/** What has left a sender: of its own buffer in this process, nothing. */
function sentBy(sender: RawSocket): number {
  return sender.socket.bytesWritten - sender.socket.writableLength;
}

/** Sends what fills a stream, in pieces, and waits for each as a real client does. */
async function sendStream(client: RawSocket): Promise<void> {
  const piece = Buffer.alloc(64 * 1024, 's');
  for (let left = STREAM; left > 0; left -= piece.length) await client.write(piece.subarray(0, left));
}

async function pingThrough(limpet: Limpet): Promise<Pings> {
  return new Pings(await acceptedRaw(limpet.port('mqtt'), { clientId: 'ping' }));
}

/** Streams that stand still: what was sent of each, and how the first one goes on to its end. */
interface Stalled {
  readonly sent: readonly number[];
  readonly clients: readonly RawSocket[];
  finishFirst(): Promise<void>;
}

/** What the stalls cost a stream in one round; the other client's round trips go on meanwhile. */
async function costOf(limpet: Limpet, pings: Pings, stall: () => Promise<Stalled>): Promise<number> {
  const before = await memory(limpet);
  const { sent, clients, finishFirst } = await stall();
  pings.mark();
  const growth = (await memory(limpet)) - before;
  const trips = pings.tripsMs;
  console.log(
    `${sent.length} streams stalled after ${mib(median(sent))} MiB each: ${mib(before)} MiB before, growth ` +
      `${mib(growth)} MiB, ${mib(growth / sent.length)} a stream; ${trips.length} pings meanwhile, median ` +
      `${median(trips).toFixed(1)} ms, slowest ${Math.max(...trips).toFixed(1)} ms`,
  );
  expect(Math.max(...sent)).toBeLessThan(STREAM / 2);
  expect(trips.length).toBeGreaterThan(20);
  await finishFirst();
  for (const client of clients) client.reset();
  return growth / sent.length;
}

async function expectCheap(limpet: Limpet, pings: Pings, stall: () => Promise<Stalled>): Promise<void> {
  const costs: number[] = [];
  for (let round = 0; round < 3; round += 1) costs.push(await costOf(limpet, pings, stall));
  expect(median(costs)).toBeLessThan(2 * MIB);
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(2);
}

/** `STREAMS` of them, one after the other connected. */
async function streamsOf<Item>(make: () => Promise<Item>): Promise<Item[]> {
  const made: Item[] = [];
  while (made.length < STREAMS) made.push(await make());
  return made;
}

test('P10: a client that stops reading under 100 MB of its broker', async () => {
  await using broker = await startBroker(pingsThen(streams(STREAM)));
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  using pings = await pingThrough(limpet);
  const connect = async (isReading: boolean): Promise<RawSocket> => {
    const client = await connectRaw(limpet.port('mqtt'));
    client.forget();
    if (!isReading) client.stopReading();
    await client.write(connectFor({ clientId: 'stream' }));
    return client;
  };
  const whole = CONNACK_BYTES + STREAM;
  // Streams that nobody stalls let the heap grow to what it needs.
  const warm = await streamsOf(() => connect(true));
  for (const client of warm) await client.waitForBytes(whole, SLOW_MS);
  for (const client of warm) client.reset();
  await expectCheap(limpet, pings, async () => {
    const number = broker.peers.length;
    const clients = await streamsOf(() => connect(false));
    await broker.waitForPeer(number + STREAMS - 1);
    const sent = await standstill(() => broker.peers.slice(number).map(sentBy));
    const finishFirst = async (): Promise<void> => {
      clients[0]?.readAgain();
      await clients[0]?.waitForBytes(whole, SLOW_MS);
      expect(clients[0]?.bytesIn).toBe(whole);
    };
    return { sent, clients, finishFirst };
  });
});

test('P10: a broker that stops reading under 100 MB of a client', async () => {
  const swallows: Script = (peer, number) => {
    accepts()(peer, number);
    // Behind the CONNECT, which the script still needs.
    peer.onBytes(() => peer.bytesIn > CONNECT_BYTES && peer.forget());
  };
  await using broker = await startBroker(pingsThen(swallows));
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  using pings = await pingThrough(limpet);
  const connect = (): Promise<RawSocket> => acceptedRaw(limpet.port('mqtt'), { clientId: 'stream' });
  const whole = CONNECT_BYTES + STREAM;
  const warm = await streamsOf(connect);
  await Promise.all(warm.map(sendStream));
  for (const peer of broker.peers.slice(1)) await peer.waitForBytes(whole, SLOW_MS);
  for (const client of warm) client.reset();
  await expectCheap(limpet, pings, async () => {
    const number = broker.peers.length;
    const clients = await streamsOf(connect);
    await broker.waitForPeer(number + STREAMS - 1);
    const peers = broker.peers.slice(number);
    for (const peer of peers) peer.stopReading();
    // All but the first are reset in the middle of it.
    const [first, ...others] = clients.map(client => sendStream(client));
    for (const other of others) other.catch(() => undefined);
    const sent = await standstill(() => clients.map(sentBy));
    const finishFirst = async (): Promise<void> => {
      peers[0]?.readAgain();
      await first;
      await peers[0]?.waitForBytes(whole, SLOW_MS);
      expect(peers[0]?.bytesIn).toBe(whole);
    };
    return { sent, clients, finishFirst };
  });
});
