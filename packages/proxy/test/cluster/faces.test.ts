/** P12: every counter on every face comes from the one ledger; and it is what clients and brokers have seen. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ApiScope, Faces } from '../kit/faces.ts';
import {
  arrivals,
  COUNTED,
  common,
  family,
  OF_WORKERS,
  of,
  pageOfServer,
  pageSums,
  samples,
  summed,
  towards,
  view,
  withoutClock,
} from '../kit/faces_expected.ts';
import { driveFaces, garbage, refusals, type Shown } from '../kit/faces_traffic.ts';

let shown: Shown;
beforeAll(async () => {
  shown = await driveFaces();
}, 120_000);

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
