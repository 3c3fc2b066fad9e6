import { connect, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { BindConfig, Config } from '../../../src/config/resolved.ts';
import { Bindings, socketsLentTo, socketsOfSlot } from '../../../src/process/bindings.ts';
import { freePort } from '../../kit/port.ts';

const open: Bindings[] = [];
afterEach(() => {
  for (const bindings of open.splice(0)) bindings.close();
});

const bind = (port: number): BindConfig => {
  return { label: `127.0.0.1:${port}`, host: '127.0.0.1', port, acceptProxy: [], tls: null, websocket: null };
};

function configOf(frontends: Readonly<Record<string, readonly number[]>>): Config {
  const all = Object.entries(frontends).map(([name, ports]) => ({ name, binds: ports.map(bind) }));
  return { global: { workers: 2 }, frontends: all } as unknown as Config;
}

async function bound(config: Config): Promise<Bindings> {
  const bindings = new Bindings();
  open.push(bindings);
  (await bindings.prepare(config)).commit();
  return bindings;
}

/** Whether nobody has the port. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise(resolve => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

const indexes = (bindings: Bindings): number[] => bindings.refs(0, 2).map(({ index }) => index);

test('a bind keeps its socket across reloads, in whichever frontend and at whatever place; a new one has a number of its own', async () => {
  const [one, two, three] = [await freePort(), await freePort(), await freePort()];
  const bindings = await bound(configOf({ a: [one, two] }));
  const [first = -1, second = -1] = indexes(bindings);
  const handle = bindings.handle(second);
  (await bindings.prepare(configOf({ b: [two], a: [three, one] }))).commit();
  const refs = bindings.refs(0, 2);
  expect(refs.map(({ frontend, place }) => `${frontend}/${place}`)).toEqual(['b/0', 'a/0', 'a/1']);
  expect([refs[0]?.index, refs[2]?.index, bindings.handle(second) === handle]).toEqual([second, first, true]);
  expect(new Set(indexes(bindings)).size).toBe(3);
  expect(bindings.listening.map(({ frontend, place, port }) => [frontend, place, port])).toEqual([
    ['b', 0, two],
    ['a', 0, three],
    ['a', 1, one],
  ]);
});

test('binds to any free port are told apart by their place, and keep it', async () => {
  const bindings = await bound(configOf({ a: [0, 0] }));
  const ports = bindings.listening.map(({ port }) => port);
  expect(new Set(ports).size).toBe(2);
  (await bindings.prepare(configOf({ a: [0, 0, 0] }))).commit();
  expect(bindings.listening.map(({ port }) => port).slice(0, 2)).toEqual(ports);
});

test('a bind that is gone is closed when it is told, not before: clients in its backlog have time', async () => {
  const port = await freePort();
  const bindings = await bound(configOf({ a: [port] }));
  const [index = -1] = indexes(bindings);
  const { closeGone } = (await bindings.prepare(configOf({ a: [] }))).commit();
  expect([bindings.handle(index), bindings.listening]).toEqual([null, []]);
  closeGone();
  expect(await isFree(port)).toBe(true);
});

test('P9: a port in use refuses all of it, and gives back what was bound beside it', async () => {
  await using taken = createServer();
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const inUse = typeof address === 'object' && address !== null ? address.port : 0;
  const [kept, beside] = [await freePort(), await freePort()];
  const bindings = await bound(configOf({ a: [kept] }));
  await expect(bindings.prepare(configOf({ a: [beside, inUse] }))).rejects.toMatchObject({ code: 'BIND_IN_USE' });
  expect([await isFree(beside), bindings.listening.map(({ port }) => port)]).toEqual([true, [kept]]);
  const change = await bindings.prepare(configOf({ a: [beside] }));
  change.abort();
  expect([await isFree(beside), bindings.listening.map(({ port }) => port)]).toEqual([true, [kept]]);
});

test('one address in two frontends is told with both names', async () => {
  const port = await freePort();
  const message = `cannot listen on 127.0.0.1:${port}: it is a bind of a and b`;
  await expect(new Bindings().prepare(configOf({ a: [port], b: [port] }))).rejects.toMatchObject({ message });
});

test('nobody listens before a worker does', async () => {
  const port = await freePort();
  await bound(configOf({ a: [port] }));
  const socket = connect(port, '127.0.0.1');
  await expect(new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))).rejects.toThrow(
    'ECONNREFUSED',
  );
});

test.each([
  // A socket that all share, whatever their number.
  [1, 3, [[0], [0], [0]]],
  [4, 4, [[0], [1], [2], [3]]],
  // Fewer workers than sockets: each has several, and none is without a worker.
  [
    4,
    2,
    [
      [0, 2],
      [1, 3],
    ],
  ],
  [4, 3, [[0, 3], [1], [2]]],
  [3, 1, [[0, 1, 2]]],
])('%i sockets and %i workers: %o', (sockets, workers, expected) => {
  const slots = Array.from({ length: workers }, (_, slot) => slot);
  expect(slots.map(slot => socketsOfSlot(slot, workers, sockets))).toEqual(expected);
});

test.each([
  // Slots whose workers are full, and what each slot has beside its own.
  [4, 4, [], [[], [], [], []]],
  [4, 4, [1], [[1], [], [1], [1]]],
  [4, 4, [3, 0], [[3], [0, 3], [0, 3], [0]]],
  // All of them: none has room, and whoever has some again needs no word of anybody.
  [2, 2, [0, 1], [[1], [0]]],
  // A full one has several; of one that is not there any more nobody asks.
  [4, 2, [0, 2], [[], [0, 2]]],
  // A socket that all share; one worker alone.
  [1, 2, [0], [[], []]],
  [3, 1, [0], [[]]],
])('of %i sockets for %i workers, of which %j are full, others have %j', (sockets, workers, full, expected) => {
  const slots = Array.from({ length: workers }, (_, slot) => slot);
  expect(slots.map(slot => socketsLentTo(slot, workers, sockets, new Set(full)))).toEqual(expected);
});

test('a port that this process has at another address is said to be its own', async () => {
  const port = await freePort();
  const bindings = await bound(configOf({ a: [port] }));
  const server = createServer();
  await new Promise<void>(resolve => server.listen(bindings.handle(indexes(bindings)[0] ?? -1), resolve));
  const everywhere = { ...bind(port), label: `*:${port}`, host: '0.0.0.0' };
  const next = { global: { workers: 2 }, frontends: [{ name: 'a', binds: [everywhere] }] } as unknown as Config;
  await expect(bindings.prepare(next)).rejects.toMatchObject({
    code: 'BIND_IN_USE',
    message: `cannot listen on *:${port}: Limpet itself has the port, for 127.0.0.1:${port} of frontend a`,
    remedy: expect.stringContaining('restart'),
  });
  server.close();
});
