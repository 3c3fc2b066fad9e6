import { once } from 'node:events';
import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ClaimAnswer, localTable, MemoryTable, type StickTable } from '@limpet/state';
import { expect, test } from 'vitest';
import { BackendView } from '../../src/route/view.ts';
import { Session } from '../../src/session.ts';
import { Sitting } from '../../src/sitting.ts';
import type { Connect, Inbound } from '../../src/stages.ts';
import { TcpEndpoint } from '../../src/tcp_endpoint.ts';
import { TcpSession } from '../../src/tcp_session.ts';
import type { Serving, SessionRoute, Workshop } from '../../src/workshop.ts';
import { accepts, type Script, startBroker } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { connectRaw } from '../kit/raw_socket.ts';
import { inbound } from '../unit/account/sessions.ts';
import { backend, server, status } from '../unit/route/backend.ts';
import { bench, TestVisit } from '../unit/workshop.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Remembers, without keeping it, whoever has served it. */
class WatchedVisit extends TestVisit {
  readonly served: WeakRef<object>[] = [];

  watch(): void {
    let serving: Serving = this.serving;
    Object.defineProperty(this, 'serving', {
      get: () => serving,
      set: (next: Serving) => {
        serving = next;
        this.served.push(new WeakRef(next));
      },
    });
  }
}

/** A listener whose clients are sessions of one server, in the mode that is given. */
async function serve(brokerPort: number, mode: 'mqtt' | 'tcp', over: Partial<SessionRoute> = {}) {
  const { shop: lent } = bench(100_000, false);
  const view = new BackendView(backend([server('a', { port: brokerPort })]));
  view.update([status('a', { address: '127.0.0.1', port: brokerPort })]);
  const route = { ...lent.routeOf('emqx'), view, ...over };
  const desk = { ...route.desk, place: async () => ({ server: 'a', stick: 'none' as const, displaced: null }) };
  const shop: Workshop = { ...lent, routeOf: () => ({ ...route, desk }) };
  const visits: WatchedVisit[] = [];
  const before: WeakRef<object>[] = [];
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, socket => {
    const visit = new WatchedVisit(shop);
    visit.watch();
    visits.push(visit);
    const base = inbound({ client: new TcpEndpoint(socket), openedAtMs: performance.now() });
    const arrived: Inbound = { ...base, frontend: { ...base.frontend, mode, inspectMs: 10_000 } };
    const session = mode === 'tcp' ? new TcpSession(visit, arrived, shop) : new Session(visit, arrived, shop);
    before.push(new WeakRef(arrived), new WeakRef(session));
    void session.run();
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    visits,
    before,
    async [Symbol.asyncDispose]() {
      for (const visit of visits) visit.stop('killed');
      await Promise.all(visits.map(({ ended }) => ended));
      listener.close();
      shop.wheel.close();
    },
  };
}

test.each(['mqtt', 'tcp'] as const)(
  'mode %s: of a session that has a broker nothing is left but its sitting',
  async mode => {
    await using broker = await startBroker(accepts());
    await using limpet = await serve(broker.port, mode);
    using client = await acceptedRaw(limpet.port, { clientId: 'device' });
    const [visit] = limpet.visits;
    if (visit === undefined) throw new Error('nobody came');
    const stages = [...limpet.before, ...visit.served.slice(0, -1)];
    // Inbound, session and passage at least; in mode mqtt what waited for the CONNECT, too.
    expect(stages.length).toBe(mode === 'mqtt' ? 4 : 3);
    const isForgotten = (): boolean => {
      collectGarbage();
      return stages.every(stage => stage.deref() === undefined);
    };
    await until(isForgotten, { what: 'the stages before to be forgotten', timeoutMs: 5000 });
    expect(visit.serving).toBeInstanceOf(Sitting);
    expect(visit.facts()).toMatchObject({ stage: 'relay', server: 'a', clientId: mode === 'mqtt' ? 'device' : null });
    expect(client.socket.destroyed).toBe(false);
  },
);

/** A broker that gives its client an id. */
const assigns: Script = peer => void peer.write(Buffer.from('200700000412000161', 'hex'));

/** A table that answers a claim when it is told to. */
function slowTable() {
  const waiting: (() => void)[] = [];
  const claim = (): Promise<ClaimAnswer> =>
    new Promise(resolve =>
      waiting.push(() => resolve({ kind: 'claimed', server: 'a', displaced: null, degraded: false })),
    );
  const table: StickTable = {
    ...localTable(new MemoryTable({ size: 1, times: { pendingMs: 1000, expireMs: 1000 } })),
    claim,
  };
  return { table, waiting };
}

test('standby resets a client at once, also one whose table has not answered yet', async () => {
  const { table, waiting } = slowTable();
  const stickValue = (connect: Connect | null) => connect?.clientId || null;
  await using broker = await startBroker(assigns);
  await using limpet = await serve(broker.port, 'mqtt', { table, stickValue });
  using client = await connectRaw(limpet.port);
  await client.write(connectFor({ clientId: '', level: 5 }));
  const answer = await until(() => waiting[0], { what: 'the claim of the assigned id' });
  const [visit] = limpet.visits;
  expect(visit?.serving).toBeInstanceOf(Sitting);
  visit?.stop('standby');
  expect(await client.closed).toBe('ECONNRESET');
  answer();
  await visit?.ended;
});
