import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Belongings } from '../kit/belongings.ts';
import { type Brokers, startBrokers, startCluster } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { type Crowd, connectAll, connectInTurn, ids } from '../kit/crowd.ts';
import { type LogEvent, startLimpet } from '../kit/limpet.ts';
import { type Mosquitto, startMosquitto } from '../kit/mosquitto.ts';
import { canMakeHosts, makeNarrowHost } from '../kit/narrow_host.ts';
import { freePort } from '../kit/port.ts';

const SOURCES = ['127.0.0.2', '127.0.0.3'];

/** What a broker's log says of where its clients came from: address → how many. */
function origins(broker: Mosquitto, prefix: string): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { address, clientId } of broker.connections()) {
    if (clientId.startsWith(prefix)) count[address] = (count[address] ?? 0) + 1;
  }
  return count;
}

describe('source addresses', () => {
  let brokers: Brokers;
  beforeAll(async () => {
    brokers = await startBrokers(2);
  });
  afterAll(async () => {
    await brokers[Symbol.asyncDispose]();
  });

  test('brokers see their clients come from them in turn, and checks from the first one', async () => {
    const backend = { source: SOURCES, servers: brokers.servers() };
    await using limpet = await startCluster({ workers: 1, backends: { mqtt: backend } });
    const clientIds = ids('turn', 20);
    await using crowd = await connectInTurn(limpet.port('mqtt'), clientIds);
    expect(crowd.refused).toEqual([]);
    expect(await brokers.shares(clientIds)).toEqual([10, 10]);
    for (const name of brokers.names) {
      const seen = brokers.get(name).connections();
      expect(origins(brokers.get(name), 'turn-')).toEqual({ '127.0.0.2': 5, '127.0.0.3': 5 });
      const checks = seen.filter(({ clientId }) => clientId.startsWith('limpet-check-'));
      expect(new Set(checks.map(({ address }) => address))).toEqual(new Set(['127.0.0.2']));
    }
    await Promise.all(crowd.clients.map(client => client.ping()));
  });

  test('a reload takes them into use and away, without touching a session', async () => {
    const config = (source: object) => ({
      global: { name: 'lb', workers: 2 },
      frontends: { mqtt: { bind: '127.0.0.1:0', default_backend: 'mqtt' } },
      backends: { mqtt: { ...source, servers: { b1: brokers.address('b1') } } },
    });
    await using limpet = await startLimpet(config({}));
    const turn = async (name: string): Promise<Crowd> => {
      const crowd = await connectAll(limpet.port('mqtt'), ids(name, 8));
      expect(crowd.refused).toEqual([]);
      await until(() => Object.values(origins(brokers.get('b1'), name)).reduce((a, b) => a + b, 0) === 8, {
        what: `${name} in the log of the broker`,
      });
      return crowd;
    };
    const reload = async (source: object): Promise<void> => {
      const before = limpet.events(({ event }) => event === 'reload').length;
      limpet.writeConfig(config(source));
      limpet.process.signal('SIGHUP');
      await until(() => limpet.events(({ event }) => event === 'reload').length > before, { what: 'the reload' });
    };
    await using first = await turn('plain');
    await reload({ source: '127.0.0.4' });
    await using second = await turn('sourced');
    const checks = (): string[] =>
      brokers
        .get('b1')
        .connections()
        .flatMap(({ clientId, address }) => (clientId.startsWith('limpet-check-') ? address : []));
    await until(() => checks().at(-1) === '127.0.0.4', { what: 'a check from there', seen: () => checks().join(' ') });
    await reload({});
    await using third = await turn('again');
    const broker = brokers.get('b1');
    expect([origins(broker, 'plain'), origins(broker, 'sourced'), origins(broker, 'again')]).toEqual([
      { '127.0.0.1': 8 },
      { '127.0.0.4': 8 },
      { '127.0.0.1': 8 },
    ]);
    await Promise.all([first, second, third].flatMap(({ clients }) => clients.map(client => client.ping())));
  });
});

/** Of so many ports the kernel's own tenth is 6. */
const PORTS = [40_000, 40_059] as const;
const OURS = 54;

/**
 * Brokers on this side of the cable to a narrow host. Each test has a host of its own: connections without `source` leave
 * ports in TIME_WAIT that nobody may choose for a minute.
 */
async function startNarrow(count: number) {
  const things = new Belongings();
  const host = things.own(makeNarrowHost({ ports: PORTS, addresses: 3 }));
  const brokers: { readonly broker: Mosquitto; readonly address: string }[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const port = await freePort();
      // A listener of its own behind the cable; the first one is not used.
      const config = [`listener ${port} ${host.here}`, 'allow_anonymous true'];
      brokers.push({ broker: things.own(await startMosquitto({ config })), address: `${host.here}:${port}` });
    }
    return { host, brokers, [Symbol.asyncDispose]: () => things[Symbol.asyncDispose]() };
  } catch (error) {
    await things[Symbol.asyncDispose]();
    throw error;
  }
}

describe.runIf(canMakeHosts)('a host with 60 ports for connections', () => {
  test.each([
    { what: 'without source', addresses: 0, servers: 1, least: 50, most: 60 },
    { what: 'with one address', addresses: 1, servers: 1, least: OURS - 6, most: OURS },
    { what: 'with three addresses', addresses: 3, servers: 1, least: 3 * (OURS - 6), most: 3 * OURS },
    { what: 'with three addresses and two brokers', addresses: 3, servers: 2, least: 6 * (OURS - 6), most: 6 * OURS },
  ])('$what: $least to $most connections to $servers brokers', async ({ addresses, servers, least, most }) => {
    await using narrow = await startNarrow(servers);
    const { host, brokers } = narrow;
    const source = addresses === 0 ? false : host.addresses.slice(0, addresses);
    const [inside = ''] = host.addresses;
    const named = Object.fromEntries(brokers.map(({ address }, index) => [`b${index + 1}`, address]));
    await using limpet = await startLimpet(
      {
        global: { name: 'lb', workers: 2, hard_stop_after: '2s' },
        frontends: { mqtt: { bind: `${inside}:1883`, default_backend: 'mqtt' } },
        backends: { mqtt: { source, servers: named } },
      },
      { before: host.before },
    );
    const at = { host: inside, timeoutMs: 60_000 };
    // One after the other: which worker accepts is the kernel's choice, and each may use the ports of both.
    await using crowd = await connectInTurn(1883, ids('narrow', most + 12), at);
    console.log(`${crowd.clients.length} of ${most + 12} connected`);
    expect(crowd.clients.length).toBeGreaterThanOrEqual(least);
    expect(crowd.clients.length).toBeLessThanOrEqual(most);
    expect(new Set(crowd.arrivals.map(({ outcome }) => outcome))).toEqual(new Set(['accepted', 'refused 0x03']));
    await Promise.all(crowd.clients.map(client => client.ping()));

    const isRefusal = ({ event, reason }: LogEvent): boolean => event === 'refused' && reason === 'all_failed';
    await limpet.waitForEvent(isRefusal, 'a refusal');
    const refusals = limpet.events(isRefusal);
    for (const { detail } of refusals) expect(detail).toContain('EADDRNOTAVAIL');
    expect(limpet.events(({ msg }) => /is DOWN/.test(String(msg)))).toEqual([]);
    if (addresses === 3) {
      for (const { broker } of brokers) {
        const seen = origins(broker, 'narrow-');
        expect(Object.keys(seen).sort()).toEqual(host.addresses);
        for (const count of Object.values(seen)) expect(count).toBeGreaterThanOrEqual(OURS - 6);
      }
    }

    // A port that is free again finds its next client.
    await Promise.all(crowd.clients.slice(0, 10).map(client => client.drop()));
    await until(
      async () => {
        await using more = await connectInTurn(1883, ids('more', 5), at);
        return more.refused.length === 0;
      },
      { what: 'room for 5 more', seen: () => limpet.process.tail() },
    );
  });
});
