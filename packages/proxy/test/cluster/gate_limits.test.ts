/** Limits of who is let in: exact over all workers, and given back by those who leave and by workers that die. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import { type Arrival, arrive, connectLight, type LightClient } from '../kit/light_client.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { connectRaw } from '../kit/raw_socket.ts';
import { type Sink, startSink } from '../kit/sink.ts';

const [ONE, OTHER] = ['127.0.0.2', '127.0.0.3'];

let sink: Sink;
beforeAll(async () => {
  sink = await startSink();
});
afterAll(() => sink[Symbol.asyncDispose]());

function startLimited(limits: { readonly frontend?: object; readonly backend?: object }): Promise<Limpet> {
  return startLimpet(configFor({ servers: [sink.port], workers: 2, ...limits }));
}

/** How often each outcome was. */
function outcomes(arrivals: readonly Arrival[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of arrivals) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Kills every worker, and waits until as many new ones are ready. */
async function killWorkers(limpet: Limpet): Promise<void> {
  const dead = limpet.workers();
  for (const pid of dead) process.kill(pid, 'SIGKILL');
  const fresh = (): number[] => limpet.workers().filter(pid => !dead.includes(pid));
  await until(() => fresh().length === dead.length, { what: 'new workers', seen: () => limpet.process.tail() });
}

test('P7: allow and deny: who may not connect is reset, the others are served', async () => {
  const [denied, unknown] = ['127.0.5.6', '127.1.0.1'];
  await using limpet = await startLimited({ frontend: { allow: ['127.0.0.0/16'], deny: [`${denied}/32`] } });
  const port = limpet.port('mqtt');
  await using crowd = await connectAll(port, ['in'], { localAddress: ONE });
  const outside = await Promise.all(
    [denied, unknown].map(localAddress => arrive(port, { clientId: 'out', localAddress })),
  );
  expect(crowd.refused).toEqual([]);
  for (const { outcome } of outside) expect(outcome).toMatch(/^closed$|^ECONNRESET$|^EPIPE$/);
  const reasons = await until(
    () => {
      const seen = limpet.events(({ event }) => event === 'refused').map(({ reason }) => reason);
      return seen.length === 2 && seen;
    },
    { what: 'two lines' },
  );
  expect(new Set(reasons)).toEqual(new Set(['denied', 'not_allowed']));
});

test('P8: source.maxconn holds over both workers, and places come back from clients that leave and workers that die', async () => {
  await using limpet = await startLimited({ frontend: { source: { maxconn: 6 } } });
  const port = limpet.port('mqtt');
  const full = async (clients: readonly LightClient[], what: string): Promise<void> => {
    const { outcome } = await arrive(port, { clientId: 'one-more', localAddress: ONE });
    expect(outcome, what).toMatch(/^closed$|^ECONNRESET$|^EPIPE$/);
    expect(
      clients.filter(({ isClosed }) => isClosed),
      what,
    ).toEqual([]);
  };
  await using first = await connectAll(port, ids('first', 10), { localAddress: ONE });
  expect(first.clients).toHaveLength(6);
  await using others = await connectAll(port, ids('other', 6), { localAddress: OTHER });
  expect(others.clients).toHaveLength(6);
  await first.clients[0]?.leave();
  const back = await until(async () => (await arrive(port, { clientId: 'back', localAddress: ONE })).client, {
    what: 'the place of the one that left',
  });
  await full([...first.clients.slice(1), back], 'after one has left');
  await killWorkers(limpet);
  await Promise.all([...first.clients, back].map(({ closed }) => closed));
  await using again = await connectAll(port, ids('again', 10), { localAddress: ONE });
  expect(again.clients).toHaveLength(6);
  await full(again.clients, 'after the workers have died');
});

test('P7: source.connect_rate: beyond its quota a source is told 0x97 (0x03 in 3.1.1), others are served', async () => {
  await using limpet = await startLimited({ frontend: { source: { connect_rate: '6/m' } } });
  const port = limpet.port('mqtt');
  // A second's worth at once, at least one: here one, and the next comes after ten seconds.
  await using first = await connectAll(port, ['first'], { localAddress: ONE });
  expect(first.refused).toEqual([]);
  await using five = await connectAll(port, ids('five', 4), { localAddress: ONE, version: 5 });
  await using three = await connectAll(port, ids('three', 4), { localAddress: ONE, version: 4 });
  expect(outcomes(five.arrivals)).toEqual({ 'refused 0x97': 4 });
  expect(outcomes(three.arrivals)).toEqual({ 'refused 0x03': 4 });
  await using other = await connectAll(port, ['other'], { localAddress: OTHER });
  expect(other.refused).toEqual([]);
  const line = await limpet.waitForEvent(({ event }) => event === 'refused', 'a refusal');
  expect(line).toMatchObject({ reason: 'source_connect_rate', client_id: expect.any(String) });
});

test('conn_rate: 60 clients at 20 a second all get in, no faster than that', async () => {
  await using limpet = await startLimited({ frontend: { conn_rate: '20/s' } });
  const before = sink.connectsMs.length;
  const startMs = performance.now();
  await using crowd = await connectAll(limpet.port('mqtt'), ids('paced', 60));
  expect(crowd.refused).toEqual([]);
  const times = sink.connectsMs.slice(before).map(atMs => atMs - startMs);
  console.log(`conn_rate 20/s: 60 clients within ${Math.round(times.at(-1) ?? 0)} ms`);
  expect(Math.max(...times.map((atMs, index) => index + 1 - (atMs / 1_000) * 20))).toBeLessThanOrEqual(3);
  expect(times.at(-1)).toBeLessThan(15_000);
});

test('maxconn of a frontend: 10 of 15 are in, the others get in as some leave', async () => {
  await using limpet = await startLimited({ frontend: { maxconn: 10 } });
  const inside: LightClient[] = [];
  const arrivals = ids('max', 15).map(async clientId => {
    const client = await connectLight(limpet.port('mqtt'), { clientId, timeoutMs: 30_000 });
    inside.push(client);
  });
  await until(() => inside.length === 10, { what: '10 inside' });
  // Five leave one after the other, and each makes room for one: never more than ten at the broker.
  for (let left = 0; left < 5; left += 1) {
    expect(sink.open).toBe(10);
    expect(inside).toHaveLength(10 + left);
    await inside[left]?.leave();
    await until(() => inside.length === 11 + left, { what: `client ${11 + left}`, seen: () => `${inside.length}` });
    await until(() => sink.open === 10, { what: '10 at the broker', seen: () => `${sink.open}` });
  }
  await Promise.all(arrivals);
  await Promise.all(inside.map(client => client.leave()));
});

test('P8: who leaves the queue, and a worker that dies, free their places in it', async () => {
  // One goes at once; the next would go after an hour.
  await using limpet = await startLimited({
    backend: { connect_rate: { limit: '1/h', queue: 4, queue_timeout: '1h' } },
  });
  const port = limpet.port('mqtt');
  await using first = await connectAll(port, ['first']);
  expect(first.refused).toEqual([]);
  const eight = (prefix: string, timeoutMs: number): Promise<Arrival>[] =>
    ids(prefix, 8).map(clientId => arrive(port, { clientId, timeoutMs }));
  // Those who wait give up after a while, and leave.
  const early = outcomes(await Promise.all(eight('early', 2_000)));
  expect(early).toEqual({ late: 4, 'refused 0x03': 4 });
  const hasRoom = async (): Promise<boolean> =>
    (await arrive(port, { clientId: 'probe', timeoutMs: 300 })).outcome === 'late';
  await until(hasRoom, { what: 'room in the queue of those who left' });
  let refused = 0;
  const doomed = eight('doomed', 60_000);
  for (const arrival of doomed) void arrival.then(({ outcome }) => (refused += outcome === 'refused 0x03' ? 1 : 0));
  await until(() => refused >= 4, { what: 'a full queue again' });
  await killWorkers(limpet);
  const { 'refused 0x03': turnedAway = 0, ...lost } = outcomes(await Promise.all(doomed));
  // The probe may have been in the queue for a moment longer than it was here.
  expect([4, 5]).toContain(turnedAway);
  expect(Object.keys(lost).filter(outcome => !/^closed$|^ECONNRESET$/.test(outcome))).toEqual([]);
  await until(hasRoom, { what: 'room in the queue of the workers that died' });
});

test('P1: what a client sends while it waits in the queue reaches the broker, once and in order, and so does its FIN', async () => {
  await using broker = await startBroker();
  await using limpet = await startLimpet(
    configFor({ servers: [broker.port], backend: { connect_rate: { limit: '1/s', queue: 10 } } }),
  );
  const port = limpet.port('mqtt');
  using first = await acceptedRaw(port, { clientId: 'first' });
  using talker = await connectRaw(port);
  const connect = connectFor({ clientId: 'talker' });
  const more = Buffer.alloc(200_000, 'the rest ');
  await talker.write(connect);
  // Behind it in the queue: it has sent everything at once, and ended its half.
  using hasty = await connectRaw(port);
  const all = Buffer.concat([connectFor({ clientId: 'hasty' }), Buffer.of(0xc0, 0)]);
  await hasty.write(all);
  hasty.end();
  await talker.write(more.subarray(0, 10));
  void talker.write(more.subarray(10));
  const peer = await broker.waitForPeer(1);
  expect((await peer.waitForBytes(connect.length + more.length)).equals(Buffer.concat([connect, more]))).toBe(true);
  const behind = await broker.waitForPeer(2);
  await behind.waitForEnd();
  expect(behind.received().equals(all)).toBe(true);
  expect(first.isClosed).toBe(false);
});
