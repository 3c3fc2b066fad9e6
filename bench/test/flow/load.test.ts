/**
 * The load and its brokers: that they see what is there, and that what is lost or changed does not go unseen.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { until } from '../../../packages/proxy/test/kit/condition.ts';
import { type BrokerCounts, type Brokers, startBrokers } from '../../brokers.ts';
import { runConnects } from '../../connects.ts';
import { Crowd } from '../../crowd.ts';
import type { Transport } from '../../load.ts';

const connectPacket = Buffer.from('100d00044d5154540402003c000161', 'hex');

/** A PUBLISH as the load writes it: its number, then a value, both little endian. */
function publishPacket(number: number): Buffer {
  const stamp = Buffer.alloc(64, 'x');
  stamp.writeBigUInt64LE(BigInt(number), 0);
  stamp.writeBigUInt64LE(0n, 8);
  return Buffer.concat([Buffer.of(0x30, 9 + stamp.length, 0, 7), Buffer.from('bench/t'), stamp]);
}

async function countsOf(brokers: Brokers, publishes: number): Promise<BrokerCounts> {
  return until(
    async () => {
      const counts = await brokers.counts();
      return counts.publishes >= publishes && counts;
    },
    { what: `${publishes} messages` },
  );
}

async function write(port: number, pieces: readonly Buffer[]): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  for (const piece of pieces) await new Promise(resolve => socket.write(piece, resolve));
  return socket;
}

test('packets are counted however they are cut, and whoever ends is gone', async () => {
  await using brokers = await startBrokers(1);
  const [port = 0] = brokers.ports;
  const stream = Buffer.concat([connectPacket, publishPacket(0), publishPacket(1), publishPacket(2)]);
  const bytes = Array.from(stream, byte => Buffer.of(byte));
  const socket = await write(port, bytes);
  expect(await countsOf(brokers, 3)).toMatchObject({ open: 1, accepted: 1, publishes: 3, bytes: 3 * 75, disorder: 0 });
  socket.end();
  await brokers.settled(0);
});

test.each([
  ['one that is missing', [0, 2, 3], 2],
  ['one that comes twice', [0, 1, 1, 2], 2],
  ['two that changed places', [0, 2, 1, 3], 2],
])('%s is disorder', async (_what, numbers, disorder) => {
  await using brokers = await startBrokers(1);
  const [port = 0] = brokers.ports;
  const socket = await write(port, [connectPacket, ...numbers.map(publishPacket)]);
  expect(await countsOf(brokers, numbers.length)).toMatchObject({ disorder });
  socket.destroy();
});

test.each<Transport>(['tcp', 'websocket'])('messages and bulk of a crowd arrive over %s', async transport => {
  await using brokers = await startBrokers(2);
  const [, port = 0] = brokers.ports;
  await using crowd = await Crowd.open({ port, transport, prefix: 'a', connections: 20 });
  const echoed = await crowd.publish({ rate: 2000, seconds: 0.1, batch: 1, echo: true });
  expect(echoed).toMatchObject({ messages: 200, received: 200, disorder: 0, lost: {} });
  expect(echoed.p50Us).toBeGreaterThan(0);
  const flood = await crowd.publish({ rate: null, seconds: 0.1, batch: 8, echo: false });
  const bulk = 100 * 65_536;
  const up = await crowd.upload(bulk);
  expect(up).toMatchObject({ messages: 100, disorder: 0 });
  const down = await crowd.download(bulk);
  expect(down).toMatchObject({ messages: 20, received: 100, disorder: 0 });
  const counts = await brokers.counts();
  expect(counts).toMatchObject({ open: 20, publishes: 200 + flood.messages + 100 + 20, disorder: 0 });
  expect(await crowd.close()).toEqual({});
  await brokers.settled(0);
});

test('a broker that closes costs the crowd its connections, and is told of', async () => {
  const accepted: Socket[] = [];
  const server = createServer(socket => {
    accepted.push(socket);
    socket.once('data', () => socket.write(Buffer.of(0x20, 2, 0, 0)));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await using crowd = await Crowd.open({ port, transport: 'tcp', prefix: 'a', connections: 3 });
    const publishing = crowd.publish({ rate: 100, seconds: 0.1, batch: 1, echo: true });
    for (const socket of accepted) socket.resetAndDestroy();
    expect((await publishing).lost).toEqual({ reset: 3 });
  } finally {
    server.close();
  }
});

test('clients come one after the other, and what refuses them is told of', async () => {
  await using brokers = await startBrokers(1);
  const [port = 0] = brokers.ports;
  const load = { port, transport: 'tcp', prefix: 'a', ids: null, concurrency: 4, seconds: 0.2 } as const;
  const flood = await runConnects({ ...load, rate: null });
  expect(flood.accepted).toBeGreaterThan(4);
  expect(flood.lost).toEqual({});
  expect((await brokers.counts()).accepted).toBe(flood.accepted);
  const paced = await runConnects({ ...load, rate: 100 });
  expect(paced.accepted).toBeGreaterThanOrEqual(15);
  expect(paced.accepted).toBeLessThanOrEqual(20);
  await brokers[Symbol.asyncDispose]();
  const refused = await runConnects({ ...load, rate: 100 });
  expect(refused.accepted).toBe(0);
  expect(Object.keys(refused.lost)).toEqual(['connection refused']);
});
