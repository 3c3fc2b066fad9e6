import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { neverAnswers, refuses, type Script, type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { type Brokers, landingsOf, startBrokers, startCluster } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { type Crowd, connectAll, ids, Stream } from '../kit/crowd.ts';
import { arrive } from '../kit/light_client.ts';
import type { Limpet } from '../kit/limpet.ts';
import { type Transition, transitions, waitForTransition } from '../kit/verdicts.ts';

const connackMs = 2000;
const clientCount = 60;
const everyMs = 60;
/** The primary's word reaches the workers a moment after its log line is written. */
const wordMs = 250;
/** Two slow and busy cores. */
const slackMs = 1000;

const defaults = { timeout: { connect: `${connackMs}ms`, connack: `${connackMs}ms` } };
const check = { inter: '500ms', rise: 1 };

let well: Brokers;
beforeAll(async () => {
  well = await startBrokers(2);
});
afterAll(async () => {
  await well[Symbol.asyncDispose]();
});

/** A Limpet before the two brokers that are well, and a third one, `bad`. */
function startWith(badPort: number, backend: object = {}): Promise<Limpet> {
  const servers = { ...well.servers(), bad: `127.0.0.1:${badPort}` };
  return startCluster({ workers: 2, defaults, backends: { mqtt: { check, servers, ...backend } } });
}

/** Sixty clients, one after the other; after the tenth `fault` happens. */
async function arriveThrough(limpet: Limpet, prefix: string, version: 4 | 5, fault: () => unknown): Promise<Crowd> {
  const next = (number: number): { clientId: string; version: 4 | 5 } => ({ clientId: `${prefix}-${number}`, version });
  await using stream = new Stream(limpet.port('mqtt'), { everyMs, next });
  await until(() => stream.count >= 10, { what: 'ten clients' });
  await fault();
  await until(() => stream.count >= clientCount, { what: `${clientCount} clients`, timeoutMs: 30_000 });
  return stream.stop();
}

/** P5 itself: nobody fails, and nobody waits for more than one failed attempt. */
function expectServed(crowd: Crowd, what: string): void {
  const waits = crowd.arrivals.map(({ waitMs }) => waitMs).sort((a, b) => b - a);
  const slow = waits.filter(waitMs => waitMs >= connackMs).length;
  console.log(
    `${what}: ${crowd.arrivals.length} clients, ${crowd.refused.length} failed, slowest ${waits[0]} ms, ${slow} waited for it`,
  );
  expect(crowd.refused).toEqual([]);
  expect(waits[0]).toBeLessThan(connackMs + slackMs);
}

/** Client ids in the CONNECTs that a scripted broker got; those of checks are left out. */
function asked(broker: ScriptedBroker): string[] {
  return broker.peers.flatMap(peer => {
    const [clientId] = /(?:limpet-check|bad)-[\w-]+/.exec(peer.received().toString('latin1')) ?? [];
    return clientId === undefined || clientId.startsWith('limpet-check-') ? [] : clientId;
  });
}

function cameAfter(crowd: Crowd, down: Transition): string[] {
  return crowd.arrivals.filter(({ atMs }) => atMs > down.atMs + wordMs).map(({ clientId }) => clientId);
}

test('P5: kill -9 of a broker fails no new client; it is DOWN, gets none, and is used again when it is back', async () => {
  await using bad = await startBrokers(1);
  const broker = bad.get('b1');
  await using limpet = await startWith(broker.port);
  const crowd = await arriveThrough(limpet, 'killed', 4, () => broker.kill9());
  expectServed(crowd, 'kill -9');
  const down = await waitForTransition(limpet, 'mqtt/bad', 'DOWN');
  expect(down.reason).toMatch(/refused|ECONN|connection/i);
  await broker.restart();
  await waitForTransition(limpet, 'mqtt/bad', 'UP');
  await using again = await connectAll(limpet.port('mqtt'), ids('killed-again', 9));
  expect(again.refused).toEqual([]);
  await until(() => bad.connections('b1').filter(({ clientId }) => clientId.startsWith('killed-again')).length === 3, {
    what: 'a third of them at the broker that is back',
  });
});

test('P5: a frozen broker costs one timeout.connack at most; who comes after its DOWN never reaches it, not even later', async () => {
  await using bad = await startBrokers(1);
  const broker = bad.get('b1');
  await using limpet = await startWith(broker.port);
  const crowd = await arriveThrough(limpet, 'frozen', 4, () => broker.freeze());
  expectServed(crowd, 'SIGSTOP');
  const down = await waitForTransition(limpet, 'mqtt/bad', 'DOWN');
  const after = cameAfter(crowd, down);
  expect(after.length).toBeGreaterThan(0);
  // Those that the kernel had taken for it meanwhile appear in its log now.
  broker.thaw();
  await waitForTransition(limpet, 'mqtt/bad', 'UP');
  await using again = await connectAll(limpet.port('mqtt'), ids('frozen-again', 9));
  expect(again.refused).toEqual([]);
  const atBad = (): string[] => bad.connections('b1').map(({ clientId }) => clientId);
  await until(() => atBad().filter(id => id.startsWith('frozen-again')).length > 0, {
    what: 'clients at the thawed broker',
  });
  expect(after.filter(id => atBad().includes(id))).toEqual([]);
});

describe.concurrent.each<{ what: string; script: Script; version: 4 | 5 }>([
  { what: 'CONNACK 0x03', script: refuses(3), version: 4 },
  { what: 'CONNACK 0x97', script: refuses(0x97), version: 5 },
  { what: 'no CONNACK', script: neverAnswers(), version: 4 },
])('$what', ({ what, script, version }) => {
  test(`P5: a broker with ${what} fails no new client, and gets none after its DOWN`, async () => {
    await using bad = await startBroker();
    await using limpet = await startWith(bad.port);
    const crowd = await arriveThrough(limpet, 'bad', version, () => {
      bad.script = script;
    });
    expectServed(crowd, what);
    const down = await waitForTransition(limpet, 'mqtt/bad', 'DOWN');
    const after = cameAfter(crowd, down);
    expect(after.length).toBeGreaterThan(0);
    expect(asked(bad).length).toBeGreaterThan(0);
    expect(asked(bad).filter(clientId => after.includes(clientId))).toEqual([]);
    // It is still checked.
    await until(() => bad.peers.some(({ atMs }) => atMs > down.atMs), { what: 'a check of the server that is DOWN' });
    expect(transitions(limpet, 'mqtt/b1')).toEqual([]);
  });
});

test.concurrent('P5: without checks, once one client has waited for a frozen broker, the next ones try elsewhere first', async () => {
  await using bad = await startBroker(neverAnswers());
  await using limpet = await startWith(bad.port, { check: false });
  const crowd = await arriveThrough(limpet, 'bad-unchecked', 4, () => undefined);
  expectServed(crowd, 'no CONNACK, no checks');
  const slow = crowd.arrivals.filter(({ waitMs }) => waitMs >= connackMs);
  const learntMs = Math.min(...slow.map(({ atMs, waitMs }) => atMs + waitMs));
  const later = crowd.arrivals.filter(({ atMs }) => atMs > learntMs + wordMs);
  expect(later.length).toBeGreaterThan(0);
  expect(later.filter(({ waitMs }) => waitMs >= connackMs)).toEqual([]);
});

test.each([
  { onMarkedDown: 'shutdown_sessions', stay: false },
  { onMarkedDown: 'keep', stay: true },
])(
  'P5: on_marked_down $onMarkedDown: the clients of a server that is DOWN stay: $stay',
  async ({ onMarkedDown, stay }) => {
    await using bad = await startBrokers(1);
    const broker = bad.get('b1');
    await using limpet = await startWith(broker.port, { on_marked_down: onMarkedDown });
    const port = limpet.port('mqtt');
    await using crowd = await connectAll(port, ids(onMarkedDown, 9));
    const homes = await landingsOf(limpet, ids(onMarkedDown, 9));
    const atBad = crowd.clients.filter(({ clientId }) => homes.get(clientId)?.[0] === 'bad');
    const elsewhere = crowd.clients.filter(client => !atBad.includes(client));
    expect(atBad).toHaveLength(3);
    broker.freeze();
    await waitForTransition(limpet, 'mqtt/bad', 'DOWN');
    if (stay) {
      broker.thaw();
      await Promise.all(atBad.map(client => client.ping()));
    } else {
      await Promise.all(atBad.map(client => client.closed));
      const ends = limpet.events(({ event, why }) => event === 'end' && why === 'server_down');
      await until(() => limpet.events(({ event, why }) => event === 'end' && why === 'server_down').length === 3, {
        what: `three ends by server_down instead of ${ends.length}`,
      });
      await using back = await connectAll(
        port,
        atBad.map(({ clientId }) => clientId),
      );
      expect(back.refused).toEqual([]);
      expect(back.longestWaitMs).toBeLessThan(connackMs);
      await until(() => atBad.every(({ clientId }) => well.homes().has(clientId)), { what: 'their new homes' });
    }
    await Promise.all(elsewhere.map(client => client.ping()));
  },
);

test('P5: without any server clients are told so, in their own version, and the log says it; a name that does not resolve is DOWN', async () => {
  await using brokers = await startBrokers(1);
  await using limpet = await startCluster({
    workers: 2,
    defaults,
    backends: {
      mqtt: { check, servers: { ...brokers.servers(), nowhere: 'nowhere.invalid:1883' } },
      void: { check: false, servers: { nowhere: 'nowhere.invalid:1883' } },
    },
  });
  const port = limpet.port('mqtt');
  expect((await waitForTransition(limpet, 'mqtt/nowhere', 'DOWN')).reason).toContain('nowhere.invalid');
  await using crowd = await connectAll(port, ids('resolved', 6));
  expect(crowd.refused).toEqual([]);
  expect((await arrive(limpet.port('void'), { clientId: 'lost' })).outcome).toBe('refused 0x03');

  await brokers.get('b1').kill9();
  await waitForTransition(limpet, 'mqtt/b1', 'DOWN');
  await limpet.waitForEvent(({ msg }) => msg === 'backend mqtt has no server available', 'the line');
  for (const [version, outcome] of [
    [4, 'refused 0x03'],
    [5, 'refused 0x88'],
  ] as const) {
    const arrival = await arrive(port, { clientId: `nobody-${version}`, version });
    expect(arrival.outcome).toBe(outcome);
    const refused = await limpet.waitForEvent(({ client_id }) => client_id === `nobody-${version}`, 'its line');
    expect(refused).toMatchObject({ event: 'refused', reason: 'no_server' });
  }
  await brokers.get('b1').restart();
  await waitForTransition(limpet, 'mqtt/b1', 'UP');
  await using back = await connectAll(port, ids('resolved', 6));
  expect(back.refused).toEqual([]);
});
