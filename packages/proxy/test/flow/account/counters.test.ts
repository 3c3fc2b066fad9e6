import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Counts } from '../../../src/account/counters.ts';
import { Ledger } from '../../../src/account/ledger.ts';
import type { SessionFacts } from '../../../src/account/session_facts.ts';
import { listSessions } from '../../../src/account/session_search.ts';
import type { FrontendConfig } from '../../../src/config/resolved.ts';
import { Pins } from '../../../src/route/pins.ts';
import { BackendView } from '../../../src/route/view.ts';
import { Session } from '../../../src/session.ts';
import { TcpEndpoint } from '../../../src/tcp_endpoint.ts';
import { TcpSession } from '../../../src/tcp_session.ts';
import type { SessionRoute, Workshop } from '../../../src/workshop.ts';
import { accepts, closesAtOnce, neverAnswers, refuses, startBroker } from '../../kit/broker.ts';
import { until } from '../../kit/condition.ts';
import { acceptedRaw, connectFor } from '../../kit/connects.ts';
import { freePort } from '../../kit/port.ts';
import { connectRaw } from '../../kit/raw_socket.ts';
import { inbound } from '../../unit/account/sessions.ts';
import { connectBytes, field } from '../../unit/preread/connect_bytes.ts';
import { backend, server, status } from '../../unit/route/backend.ts';
import { bench, TestVisit } from '../../unit/workshop.ts';

/** One worker's sessions, whose brokers listen on these ports, and the ledger that hears of them. */
async function serve(ports: readonly number[], over: Partial<FrontendConfig> = {}) {
  const { shop: lent, errors } = bench(100_000, false);
  const shop: Workshop = { ...lent, usernames: true, routeOf: () => routeTo(ports) };
  const ledger = new Ledger();
  let sessions = 0;
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, socket => {
    const base = inbound({ id: ++sessions, client: new TcpEndpoint(socket) });
    const now = performance.now();
    const arrived = { ...base, acceptedAtMs: now, openedAtMs: now, frontend: { ...base.frontend, ...over } };
    const Kind = arrived.frontend.mode === 'tcp' ? TcpSession : Session;
    void new Kind(new TestVisit(shop, arrived.id), arrived, shop).run();
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const told = (kind: 'frontend' | 'backend' | 'server' | 'worker', name: string) => {
    ledger.tally(1, shop.tally.flush());
    return ledger.scope(kind, name);
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    errors,
    told,
    facts: async (): Promise<SessionFacts | undefined> => (await listSessions(shop.registry, {}, 1))[0],
    /** The counters of the worker, as soon as one of them is there. */
    async counted(counter: keyof Counts): Promise<Counts> {
      await until(() => told('worker', '').counts[counter], { what: `the counter ${counter}`, timeoutMs: 5000 });
      return told('worker', '').counts;
    },
    async [Symbol.asyncDispose]() {
      for (const session of shop.registry.all()) session.stop('killed');
      listener.close();
      await once(listener, 'close');
      shop.wheel.close();
    },
  };
}

/** Servers `s0`, `s1`, …, each tried in its turn. */
function routeTo(ports: readonly number[]): SessionRoute {
  const view = new BackendView(backend(ports.map((port, at) => server(`s${at}`, { port }))));
  view.update(ports.map((port, at) => status(`s${at}`, { address: '127.0.0.1', port })));
  return {
    view,
    desk: {
      async place({ exclude }) {
        const next = ports.map((_, at) => `s${at}`).find(name => !exclude.includes(name));
        return next === undefined
          ? { server: null, why: 'down' }
          : { server: next, stick: 'none' as const, displaced: null };
      },
      ...{ use() {}, free() {} },
    },
    ...{ table: null, shared: false, pins: new Pins(), owner: 'lb1/1' },
    ...{ stickValue: () => null, seen() {}, tls: () => null },
  };
}

describe('P12: every event is counted once', () => {
  test('a session, its bytes while it lives, and its end', async () => {
    await using broker = await startBroker(accepts());
    await using limpet = await serve([broker.port]);
    const connect = connectFor({ clientId: 'device' });
    using client = await acceptedRaw(limpet.port, { clientId: 'device' });
    await client.write(Buffer.alloc(1000));
    const bytes = connect.length + 1000;
    await until(() => limpet.told('server', 'emqx/s0').counts.bytes_in === bytes, { what: 'live bytes' });
    expect(limpet.told('server', 'emqx/s0')).toMatchObject({
      sessions: 1,
      connect: { count: 1 },
      connack: { count: 1 },
    });
    expect(await limpet.counted('sessions')).toEqual({
      ...{ 'connect:3.1.1': 1, picked: 1, 'connack:3:0': 1, 'stick:none': 1, sessions: 1 },
      ...{ bytes_in: bytes, bytes_out: 4 },
    });
    client.end();
    broker.peers[0]?.end();
    await limpet.counted('end:client_closed');
    for (const [kind, name] of [
      ['server', 'emqx/s0'],
      ['backend', 'emqx'],
    ] as const) {
      expect(limpet.told(kind, name)).toMatchObject({
        sessions: 0,
        sessionsMax: 1,
        counts: { 'end:client_closed': 1 },
      });
    }
  });

  test('a client that a broker refuses for good', async () => {
    await using broker = await startBroker(refuses(5));
    await using limpet = await serve([broker.port, await freePort()]);
    using client = await connectRaw(limpet.port);
    await client.write(connectFor({ clientId: 'device' }));
    await client.waitForEnd();
    expect(await limpet.counted('refused:refused_by_server')).toEqual({
      ...{ 'connect:3.1.1': 1, picked: 1, 'connack:3:5': 1, 'refused:refused_by_server': 1 },
      ...{ bytes_in: connectFor({ clientId: 'device' }).length, bytes_out: 4 },
    });
    expect(limpet.told('server', 'emqx/s0').counts).toMatchObject({ 'refused:refused_by_server': 1 });
    expect(limpet.told('server', 'emqx/s0')).toMatchObject({ sessions: 0, sessionsMax: 0 });
  });

  test('a client that goes on from a busy broker to the next one', async () => {
    await using busy = await startBroker(refuses(0x97));
    await using broker = await startBroker(accepts());
    await using limpet = await serve([busy.port, broker.port]);
    using _client = await acceptedRaw(limpet.port, { clientId: 'device', level: 5 });
    expect(await limpet.counted('sessions')).toMatchObject({ picked: 2, retries: 1, reroutes: 1, sessions: 1 });
    const { bytes_out: _, ...first } = limpet.told('server', 'emqx/s0').counts;
    expect(first).toEqual({ picked: 1, 'connack:5:151': 1, reroutes: 1 });
    expect(limpet.told('server', 'emqx/s1').counts).toMatchObject({ picked: 1, retries: 1, 'connack:5:0': 1 });
    expect(await limpet.facts()).toMatchObject({
      ...{ worker: 'lb1/1', id: 1, frontend: 'mqtt', bind: '*:1883', clientId: 'device', version: '5.0' },
      ...{ stage: 'relay', backend: 'emqx', server: 's1', how: 'none', retries: 1, keepAliveS: 60 },
    });
  });

  test('servers that cannot be reached, or close without a word', async () => {
    await using rude = await startBroker(closesAtOnce('fin'));
    await using limpet = await serve([await freePort(), rude.port]);
    using client = await connectRaw(limpet.port);
    await client.write(connectFor({ clientId: 'device' }));
    await client.waitForEnd();
    const counts = await limpet.counted('refused:closed_by_server');
    expect(counts).toMatchObject({ picked: 2, 'failed:dial': 1, 'failed:closed': 1, reroutes: 1, retries: 1 });
    expect(counts.sessions).toBeUndefined();
  });

  test('mode tcp has no CONNECTs and no CONNACKs', async () => {
    await using broker = await startBroker(neverAnswers());
    await using limpet = await serve([broker.port], { mode: 'tcp' });
    using client = await connectRaw(limpet.port);
    await client.write(Buffer.alloc(300));
    await until(() => limpet.told('backend', 'emqx').counts.bytes_in === 300, { what: 'live bytes' });
    expect(await limpet.counted('sessions')).toEqual({ picked: 1, 'stick:none': 1, sessions: 1, bytes_in: 300 });
    expect(await limpet.facts()).toMatchObject({ stage: 'relay', clientId: null, version: null, bytesIn: 300 });
  });
});

test('P11: a malformed CONNECT is shown without what it holds', async () => {
  await using limpet = await serve([await freePort()]);
  using client = await connectRaw(limpet.port);
  const payload = [field('device'), field('user'), field('SECRET')];
  const bytes = connectBytes({ level: 4, flags: 0xc3, payload });
  await client.write(bytes);
  await client.waitForEnd();
  expect(await limpet.counted('refused:malformed')).toEqual({ 'refused:malformed': 1, bytes_in: bytes.length });
  const [error] = limpet.errors;
  expect(error).toMatchObject({ session: 1, frontend: 'mqtt', reason: 'malformed', length: bytes.length });
  expect(error?.head).toBe(bytes.subarray(0, 12).toString('hex'));
});
