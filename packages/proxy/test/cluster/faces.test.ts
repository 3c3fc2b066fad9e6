/** P12: every counter on every face comes from the one ledger; and it is what clients and brokers have seen. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Belongings } from '../kit/belongings.ts';
import { Brokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectFor } from '../kit/connects.ts';
import { makeDirectory } from '../kit/directory.ts';
import { type ApiScope, type ApiServer, type Faces, settledFaces } from '../kit/faces.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { connectBytes, field } from '../unit/preread/connect_bytes.ts';

const pingreq = Buffer.from([0xc0, 0]);
const disconnect = Buffer.from([0xe0, 0]);
const refusals = 3;
const garbage = 4;

/** What the test's own clients did and saw. */
interface Truth {
  readonly connections: number;
  readonly accepted: number;
  readonly sent: number;
  readonly received: number;
}

/** Remembers every client there ever was. */
class Witness {
  readonly #clients: RawSocket[] = [];
  /** What is known of clients that are lost: nobody knows what of their last words was heard. */
  readonly #last = new Map<RawSocket, readonly [sent: number, received: number]>();
  #accepted = 0;

  saw(client: RawSocket, isAccepted: boolean): void {
    this.#clients.push(client);
    if (isAccepted) this.#accepted += 1;
  }

  /** What they do from now on may be lost. */
  remember(clients: readonly RawSocket[]): void {
    for (const client of clients) this.#last.set(client, bytesOf(client));
  }

  /** It was not lost. */
  forget(client: RawSocket): void {
    this.#last.delete(client);
  }

  truth(): Truth {
    const bytes = this.#clients.map(client => this.#last.get(client) ?? bytesOf(client));
    const sent = bytes.reduce((sum, [its]) => sum + its, 0);
    const received = bytes.reduce((sum, [, its]) => sum + its, 0);
    return { connections: this.#clients.length, accepted: this.#accepted, sent, received };
  }
}

function bytesOf({ socket, bytesIn }: RawSocket): readonly [sent: number, received: number] {
  return [socket.bytesWritten, bytesIn];
}

interface Shown {
  readonly before: Faces;
  readonly after: Faces;
  readonly over: Faces;
  readonly truth: { readonly before: Truth; readonly over: Truth };
  /** Sessions that the killed worker had. */
  readonly lost: number;
  readonly brokers: Readonly<Record<string, number>>;
}
let shown: Shown;

const things = new Belongings();
beforeAll(async () => {
  shown = await drive();
}, 120_000);
afterAll(() => things[Symbol.asyncDispose]());

async function drive(): Promise<Shown> {
  const directory = things.own(await makeDirectory('faces'));
  const config = [`password_file ${directory.write('passwords', '')}`];
  const names = ['b1', 'b2', 'b3'];
  const mosquittos = await Promise.all(names.map(async name => [name, await startMosquitto({ config })] as const));
  const brokers = things.own(new Brokers(new Map(mosquittos)));
  const limpet = things.own(
    await startLimpet({
      global: {
        name: 'lb',
        workers: 2,
        log: { level: 'debug' },
        runtime_api: [directory.file('limpet.sock')],
        stats: { bind: '127.0.0.1:0' },
      },
      frontends: { mqtt: { bind: ['127.0.0.1:0', '127.0.0.1:0'], default_backend: 'brokers' } },
      // One check each, so that counters come to rest.
      backends: { brokers: { check: { inter: '1h' }, servers: brokers.servers() } },
    }),
  );
  const witness = new Witness();
  const clients = await traffic(limpet, witness);
  const before = await settledFaces(limpet, clients.length);
  const truthBefore = witness.truth();
  witness.remember(clients);
  const { lost, left } = await killOneWorker(limpet, clients);
  for (const client of left) witness.forget(client);
  const after = await settledFaces(limpet, left.length);

  // As many come back as were lost; then all leave.
  const back = await Promise.all(lost.map((_, n) => join(limpet, witness, `back-${n}`, 5)));
  for (const client of [...left, ...back]) await leave(client);
  const over = await settledFaces(limpet, 0);
  const seen = Object.fromEntries(brokers.names.map(name => [name, brokers.connections(name).length]));
  const truth = { before: truthBefore, over: witness.truth() };
  return { before, after, over, truth, lost: lost.length, brokers: seen };
}

/** Clients of both versions, some of which return, some are refused by their broker, and garbage. Answers who is there. */
async function traffic(limpet: Limpet, witness: Witness): Promise<RawSocket[]> {
  const clients: RawSocket[] = [];
  for (let n = 0; n < 12; n += 1) clients.push(await join(limpet, witness, `c${n}`, n % 2 === 0 ? 4 : 5, n % 2));
  for (const client of clients.slice(0, 4)) await leave(client);
  for (let n = 0; n < 4; n += 1) clients[n] = await join(limpet, witness, `c${n}`, n % 2 === 0 ? 4 : 5);
  for (let n = 0; n < refusals; n += 1) {
    const payload = [field(`r${n}`), field('nobody'), field('x')];
    await turnedAway(limpet, witness, connectBytes({ level: 4, flags: 0xc2, payload }));
  }
  for (let n = 0; n < garbage; n += 1) await turnedAway(limpet, witness, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  return clients;
}

/** A client that is accepted, and whose PINGREQ is answered. */
async function join(limpet: Limpet, witness: Witness, clientId: string, level: 4 | 5, bind = 0): Promise<RawSocket> {
  const client = await connectRaw(limpet.port('mqtt', bind));
  witness.saw(client, true);
  await client.write(connectFor({ clientId, level }));
  const [, rest = 0, , code] = await client.waitForBytes(4);
  expect(code).toBe(0);
  // With the properties that the broker may have put in (5.0).
  const connackLength = 2 + rest;
  await client.waitForBytes(connackLength);
  await client.write(pingreq);
  await client.waitForBytes(connackLength + 2);
  return client;
}

async function leave(client: RawSocket): Promise<void> {
  await client.write(disconnect);
  client.end();
  await client.closed;
}

async function turnedAway(limpet: Limpet, witness: Witness, bytes: Buffer): Promise<void> {
  using client = await connectRaw(limpet.port('mqtt'));
  witness.saw(client, false);
  await client.write(bytes);
  await client.waitForEnd();
}

async function killOneWorker(
  limpet: Limpet,
  clients: readonly RawSocket[],
): Promise<{ lost: RawSocket[]; left: RawSocket[] }> {
  const [first] = limpet.events(({ event }) => event === 'worker_ready');
  process.kill(Number(first?.worker_pid), 'SIGKILL');
  await limpet.waitForEvent(({ event }) => event === 'worker_died', 'its death');
  await until(() => limpet.events(({ event }) => event === 'worker_ready').length === 3, { what: 'its successor' });
  const pings = clients.map(async client => {
    const { bytesIn } = client;
    await client.write(pingreq).catch(() => undefined);
    await until(() => client.isClosed || client.ended || client.bytesIn > bytesIn, { what: 'an answer, or the end' });
    return client.isClosed || client.ended;
  });
  const isLost = await Promise.all(pings);
  return { lost: clients.filter((_, n) => isLost[n]), left: clients.filter((_, n) => !isLost[n]) };
}

const moments = ['before', 'after', 'over'] as const;

describe.each(moments)('P12: %s a worker was killed', moment => {
  test('the statistics say the same in all their shapes', () => {
    const { runtimeCsv, ...others } = shown[moment].stats;
    for (const [shape, stats] of Object.entries(others)) {
      expect([shape, ...withoutClock(stats)]).toEqual([shape, ...withoutClock(runtimeCsv)]);
    }
    expect(runtimeCsv.size).toBe(5);
  });

  test('the API says the same over HTTP and over the runtime API', () => {
    expect(shown[moment].runtimeBackends).toEqual(shown[moment].api.backends);
  });

  test('the statistics are those of the API', () => {
    const { api, stats } = shown[moment];
    const rows: Record<string, object> = {};
    for (const one of api.frontends) rows[`${one.name}/FRONTEND`] = { ...common(one), ...arrivals(one) };
    for (const { servers, ...backend } of api.backends) {
      rows[`${backend.name}/BACKEND`] = { ...common(backend), ...towards(backend), stot: of(backend, 'sessions') };
      for (const one of servers) {
        const own = { used_conn_cur: one.conns, chkfail: of(one, 'checks_failed'), chkdown: of(one, 'downs') };
        rows[`${backend.name}/${one.name}`] = { ...common(one), ...towards(one), ...own, stot: of(one, 'sessions') };
      }
    }
    const asNumbers = [...stats.runtimeCsv].map(([name, row]) => [
      name,
      Object.fromEntries(Object.keys(rows[name] ?? {}).map(column => [column, Number(row[column])])),
    ]);
    expect(Object.fromEntries(asNumbers)).toEqual(rows);
  });

  test('/metrics has every counter of the API, and no other', () => {
    const { api, metrics } = shown[moment];
    const expected = new Map<string, number>();
    const put = (prefix: string, labels: string, scope: ApiScope): void => {
      for (const [name, value] of samples(prefix, labels, scope)) expected.set(name, value);
    };
    for (const frontend of api.frontends) {
      put('frontend', `frontend="${frontend.name}"`, frontend);
      for (const { label, address, port, ...bind } of frontend.binds) {
        put('bind', `frontend="${frontend.name}",bind="${label}",listen="${address}:${port}"`, bind);
      }
    }
    for (const backend of api.backends) {
      put('backend', `backend="${backend.name}"`, backend);
      for (const one of backend.servers) put('server', `backend="${backend.name}",server="${one.name}"`, one);
    }
    for (const worker of api.workers) {
      const counts = Object.entries(worker.counts).filter(([name]) => OF_WORKERS.test(name));
      put('worker', `worker="${worker.name}"`, { ...worker, counts: Object.fromEntries(counts) });
    }
    const told = [...metrics].filter(([name]) => COUNTED.test(name) && (metrics.get(name) !== 0 || expected.has(name)));
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
  });

  test("show info is the API's info, in all its shapes", () => {
    const { api, info } = shown[moment];
    const { text, typed, json } = info;
    const still = (fields: object): object => ({ ...fields, Uptime: '', Uptime_sec: '' });
    expect(still(typed)).toEqual(still(text));
    expect(still(json)).toEqual(still(text));
    const connects = api.frontends.reduce((sum, one) => sum + family(one, 'connect:'), 0);
    expect(text).toMatchObject({
      CurrConns: String(api.info.sessions),
      CumConns: String(of(api.info, 'connections')),
      CumReq: String(connects),
      MaxSessRate: String(api.info.rate_max),
      TotalBytesOut: String(of(api.info, 'bytes_out')),
    });
  });

  test('show activity has the workers of the API', () => {
    const { api, activity } = shown[moment];
    const line = (numberOf: (worker: ApiScope) => number): number[] => {
      const each = api.workers.map(numberOf);
      return [each.reduce((sum, one) => sum + one, 0), ...each];
    };
    expect(activity).toMatchObject({
      sessions: line(({ sessions }) => sessions),
      sessions_max: line(one => one.sessions_max),
      accepted: line(one => of(one, 'connections')),
      sess_total: line(one => of(one, 'sessions')),
      bytes_in: line(one => of(one, 'bytes_in')),
      bytes_out: line(one => of(one, 'bytes_out')),
    });
  });

  test('the page is told the same', () => {
    const { api, page } = shown[moment];
    expect(page.proxy).toMatchObject({
      ...view(api.info),
      connects: api.frontends.reduce((sum, one) => sum + family(one, 'connect:'), 0),
      refused: api.frontends.reduce((sum, one) => sum + family(one, 'refused:'), 0),
    });
    for (const [n, frontend] of api.frontends.entries()) {
      const shownAs = page.frontends[n];
      const sums = { connects: family(frontend, 'connect:'), refused: family(frontend, 'refused:') };
      expect(shownAs).toMatchObject({ ...view(frontend), ...sums, connections: of(frontend, 'connections') });
      expect(shownAs?.binds).toMatchObject(frontend.binds.map(view));
    }
    for (const [n, backend] of api.backends.entries()) {
      expect(page.backends[n]).toMatchObject({ ...view(backend), ...pageSums(backend) });
      expect(page.backends[n]?.servers).toMatchObject(backend.servers.map(pageOfServer));
    }
    expect(page.workers).toMatchObject(api.workers.map(view));
  });

  test('parts add up: servers to their backend, binds to their frontend, frontends to the whole', () => {
    const { info, frontends, backends } = shown[moment].api;
    for (const { servers, ...backend } of backends) expect(summed(servers)).toEqual(summed([backend]));
    for (const { binds, ...frontend } of frontends) expect(summed(binds)).toEqual(summed([frontend]));
    const arrived = (scopes: readonly ApiScope[]): object =>
      Object.fromEntries(
        Object.entries(summed(scopes)).filter(([name]) => /^(sessions|connections|bytes|refused|end)/.test(name)),
      );
    expect(arrived(frontends)).toEqual(arrived([info]));
  });
});

test('P12: the counters are what clients and brokers saw', () => {
  const { before, over, truth, brokers } = shown;
  for (const [faces, saw] of [
    [before, truth.before],
    [over, truth.over],
  ] as const) {
    expect(of(faces.api.info, 'connections')).toBe(saw.connections);
    expect(of(faces.api.info, 'sessions')).toBe(saw.accepted);
    expect(of(faces.api.info, 'bytes_in')).toBe(saw.sent);
    expect(of(faces.api.info, 'bytes_out')).toBe(saw.received);
    const [frontend, backend] = [faces.api.frontends[0], faces.api.backends[0]];
    expect(frontend?.counts['refused:http']).toBe(garbage);
    expect(frontend?.counts['refused:refused_by_server']).toBe(refusals);
    expect(backend?.counts['connack:3:5']).toBe(refusals);
    expect(family(frontend, 'connect:')).toBe(saw.accepted + refusals);
  }
  const sessions = over.api.backends[0]?.servers.map(one => [one.name, of(one, 'sessions')]) ?? [];
  expect(Object.fromEntries(sessions)).toEqual(brokers);
});

test('P8: a killed worker takes its sessions along, and no sum; after it sessions now are exact', () => {
  const { before, after, over, lost } = shown;
  expect(lost).toBeGreaterThan(0);
  expect(lost).toBeLessThan(before.api.info.sessions);
  expect(after.api.info.sessions).toBe(before.api.info.sessions - lost);
  const grown = (scopes: (faces: Faces) => readonly ApiScope[]): string[] => {
    const [was, is] = [summed(scopes(before)), summed(scopes(after))];
    return Object.keys(was).filter(name => name !== 'sessions now' && (is[name] ?? 0) < (was[name] ?? 0));
  };
  expect(grown(({ api }) => [api.info])).toEqual([]);
  expect(grown(({ api }) => api.frontends)).toEqual([]);
  expect(grown(({ api }) => api.backends)).toEqual([]);
  expect(grown(({ api }) => api.backends.flatMap(({ servers }) => servers))).toEqual([]);
  // Nobody saw these sessions end, so they are in no end reason.
  expect(family(over.api.info, 'end:')).toBe(of(over.api.info, 'sessions') - lost);
  expect(over.api.backends[0]?.servers.map(({ conns, sessions }) => [conns, sessions])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
});

function of(scope: ApiScope | undefined, counter: string): number {
  return scope?.counts[counter] ?? 0;
}

function family(scope: ApiScope | undefined, prefix: string): number {
  const its = Object.entries(scope?.counts ?? {}).filter(([name]) => name.startsWith(prefix));
  return its.reduce((sum, [, value]) => sum + value, 0);
}

/** All counters of these scopes together, and their sessions now. */
function summed(scopes: readonly ApiScope[]): Record<string, number> {
  const sums: Record<string, number> = { 'sessions now': 0 };
  for (const { sessions, counts } of scopes) {
    sums['sessions now'] = (sums['sessions now'] ?? 0) + sessions;
    for (const [name, value] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

/** Ages go on while the faces are asked. */
function withoutClock(stats: Faces['stats']['httpCsv']): unknown[] {
  return [...stats].map(([name, { lastchg: _, downtime: __, ...row }]) => [name, row]);
}

function common(scope: ApiScope): object {
  return {
    scur: scope.sessions,
    smax: scope.sessions_max,
    rate: scope.rate,
    rate_max: scope.rate_max,
    bin: of(scope, 'bytes_in'),
    bout: of(scope, 'bytes_out'),
  };
}

function arrivals(frontend: ApiScope): object {
  const connections = of(frontend, 'connections');
  const refused = { dcon: 0, dreq: 0, ereq: of(frontend, 'refused:http') };
  return { stot: connections, conn_tot: connections, conn_rate_max: frontend.rate_max, ...refused };
}

function towards(scope: ApiServer): object {
  return {
    lbtot: of(scope, 'picked') - of(scope, 'stick:sticky'),
    connect: of(scope, 'picked'),
    wredis: of(scope, 'reroutes'),
    wretr: 0,
    econ: of(scope, 'failed:dial') + of(scope, 'failed:local'),
    cli_abrt: of(scope, 'end:client_reset'),
    srv_abrt: of(scope, 'end:server_reset'),
    ctime: scope.connect.count === 0 ? 0 : Math.round(scope.connect.sum_ms / scope.connect.count),
    rtime: scope.connack.count === 0 ? 0 : Math.round(scope.connack.sum_ms / scope.connack.count),
  };
}

/** Counter of the API → family of /metrics, and the labels that its own labels become. */
const FAMILIES: readonly (readonly [counter: RegExp, family: string, labels: readonly string[]])[] = [
  [/^connections$/, 'connections', []],
  [/^connect:(.*)$/, 'connects', ['version']],
  [/^refused:(.*)$/, 'refused', ['reason']],
  [/^sessions$/, 'sessions', []],
  [/^bytes_in$/, 'received_bytes', []],
  [/^bytes_out$/, 'sent_bytes', []],
  [/^end:(.*)$/, 'ended', ['reason']],
  [/^(?:picked|retries|reroutes|checks|checks_failed|downs)$/, '$&', []],
  [/^failed:(.*)$/, 'failed', ['reason']],
  [/^connack:(\d):(\d+)$/, 'connacks', ['protocol', 'code']],
  [/^stick:degraded$/, 'stick_degraded', []],
  [/^stick:(.*)$/, 'stick', ['how']],
];
/** Samples of /metrics that come from counters. */
const COUNTED =
  /^limpet_(?:frontend|bind|backend|server|worker)_(?!downtime)\w+_total\{|^limpet_\w+_(?:current|max)_sessions\{|_seconds_count\{/;
/** A worker tells what is its own; what it did at servers is told there. */
const OF_WORKERS = /^(?:connections|sessions|bytes_in|bytes_out|end:.*)$/;

/** What /metrics must say of a scope. */
function samples(prefix: string, labels: string, scope: ApiScope | ApiServer): readonly (readonly [string, number])[] {
  const counted = Object.entries(scope.counts).map(([counter, value]) => {
    const [pattern, name, own] = FAMILIES.find(([one]) => one.test(counter)) ?? [/^$/, counter, []];
    const [word = '', ...values] = pattern.exec(counter) ?? [];
    const more = own.map((label, place) => `,${label}="${values[place] ?? ''}"`).join('');
    return [`limpet_${prefix}_${name.replace('$&', word)}_total{${labels}${more}}`, value] as const;
  });
  const latencies =
    'connect' in scope
      ? ([
          [`limpet_${prefix}_dial_seconds_count{${labels}}`, scope.connect.count],
          [`limpet_${prefix}_connack_seconds_count{${labels}}`, scope.connack.count],
        ] as const)
      : [];
  return [
    [`limpet_${prefix}_current_sessions{${labels}}`, scope.sessions],
    [`limpet_${prefix}_max_sessions{${labels}}`, scope.sessions_max],
    ...counted,
    ...latencies,
  ];
}

function view(scope: ApiScope): object {
  return {
    sessions: scope.sessions,
    sessionsMax: scope.sessions_max,
    rate: scope.rate,
    rateMax: scope.rate_max,
    total: of(scope, 'sessions'),
    bytesIn: of(scope, 'bytes_in'),
    bytesOut: of(scope, 'bytes_out'),
  };
}

function pageSums(scope: ApiScope): { retries: number; reroutes: number; failed: number; refused: number } {
  const [failed, refused] = [family(scope, 'failed:'), family(scope, 'refused:')];
  return { retries: of(scope, 'retries'), reroutes: of(scope, 'reroutes'), failed, refused };
}

function pageOfServer(one: ApiServer): object {
  return {
    ...view(one),
    failed: family(one, 'failed:'),
    refused: family(one, 'refused:'),
    checks: of(one, 'checks'),
    checksFailed: of(one, 'checks_failed'),
    downs: of(one, 'downs'),
    conns: one.conns,
    sticky: of(one, 'stick:sticky'),
    fresh: of(one, 'stick:new') + of(one, 'stick:none'),
    moved: of(one, 'stick:moved'),
  };
}
