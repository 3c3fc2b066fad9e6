/** The same traffic through a real HAProxy and through Limpet: their statistics agree where they mean the same. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { StatRow } from '../kit/stat_csv.ts';
import { drive, type Seen } from '../kit/twin_traffic.ts';
import { startHaproxyTwin, startLimpetTwin, type Twin } from '../kit/twins.ts';

/**
 * What is to be expected of a column. `same`: the cells are equal, but in what `but` matches (`MOMENT ROW`), for the reason
 * in `why`. An empty cell and 0 are the same: HAProxy writes 0 where nothing can be counted.
 */
type Expectation =
  | { readonly same: true }
  | { readonly same: true; readonly but: RegExp; readonly why: string }
  | { readonly same: false; readonly why: string };

const same: Expectation = { same: true };
const but = (pattern: RegExp, why: string): Expectation => ({ same: true, but: pattern, why });
const differs = (why: string): Expectation => ({ same: false, why });
const all = (names: string, expectation: Expectation): [string, Expectation][] =>
  names.split(' ').map(name => [name, expectation]);

const clock = differs('it is about time, and these are two runs');
const notHere = differs('Limpet does not have it');
const attempts =
  'HAProxy counts a session of a server when it is sent there, Limpet when the broker has accepted it: here two were ' +
  'refused by their broker, and four tried one that is not there';
const suspicion =
  'HAProxy sends each new client to the dead server first; Limpet leaves it aside after the first failure (P5)';

const COLUMNS: ReadonlyMap<string, Expectation> = new Map([
  ...all('pxname svname iid sid pid type status weight uweight act bck -', same),
  ...all('qcur qmax qlimit throttle tracked algo rate_lim conn_tot dcon dresp eresp wretr', same),
  ...all('check_status check_code check_desc hanafail', same),
  [
    'chkfail',
    but(/^(broken|settled) brokers\/b2/, 'HAProxy counts none while the server is DOWN, Limpet every one that fails'),
  ],
  ...all('scur addr chkdown', same),
  ['slim', but(/BACKEND$/, 'HAProxy: fullconn, which Limpet does not have')],
  [
    'smax',
    but(
      /^(live|broken) |closed|\/FRONTEND$|\/b\d$|flaky\/(dead|BACKEND)$/,
      `${attempts}; and what was there for less than 100 ms, as a client that is refused, may not show here`,
    ),
  ],
  ['stot', but(/ (brokers|flaky)\/(b\d|dead|BACKEND)$/, attempts)],
  ...all(
    'bin bout',
    but(/^(live|broken) |flaky\/(dead|spare)$/, 'HAProxy counts bytes late, and those sent to a dead server'),
  ),
  ['dreq', but(/mqtt\/FRONTEND/, 'HAProxy denies what is no CONNECT by a rule of its configuration; here it is ereq')],
  ['ereq', but(/mqtt\/FRONTEND/, 'the other side of dreq')],
  ['lbtot', but(/flaky/, suspicion)],
  ...all('wredis connect', but(/flaky/, suspicion)),
  ['econ', but(/flaky/, 'HAProxy counts the clients that got nowhere, Limpet each attempt that failed')],
  ...all('cli_abrt srv_abrt', differs('HAProxy has it for streams that broke while data was under way')),
  [
    'used_conn_cur',
    differs('HAProxy counts those that its pool for HTTP has lent, Limpet sessions, those being dialled too'),
  ],
  ['mode', differs('tcp there, mqtt here')],
  ['last_chk', but(/^broken brokers\/b2/, 'ECONNREFUSED where HAProxy writes it out')],
  ...all('rate rate_max conn_rate conn_rate_max', differs('a sliding second there, whole seconds here; see below')),
  ...all('lastchg downtime check_duration lastsess qtime ctime ttime', clock),
  ...all('qtime_max ctime_max rtime_max ttime_max', clock),
  ['rtime', differs('the time of the CONNACK here, nothing in mode tcp there')],
  ...all('check_rise check_fall check_health need_conn_est', notHere),
  ...all('agent_status agent_code agent_duration agent_desc agent_rise agent_fall agent_health last_agt', same),
  ...all('hrsp_1xx hrsp_2xx hrsp_3xx hrsp_4xx hrsp_5xx hrsp_other cookie intercepted', same),
  ...all('req_rate req_rate_max req_tot comp_in comp_out comp_byp comp_rsp cache_lookups cache_hits', same),
  ...all('dses wrew eint reuse srv_icur src_ilim idle_conn_cur safe_conn_cur', same),
  ...all('agg_server_status agg_server_check_status agg_check_status', same),
]);

interface Run {
  readonly seen: Seen;
  readonly places: Twin['places'];
}
const moments = ['live', 'broken', 'settled'] as const;
let haproxy: Run;
let limpet: Run;

beforeAll(async () => {
  haproxy = await run(startHaproxyTwin);
  limpet = await run(startLimpetTwin);
}, 120_000);

async function run(start: () => Promise<Twin>): Promise<Run> {
  await using twin = await start();
  return { seen: await drive(twin), places: twin.places };
}

function row(of: Run, moment: keyof Seen, name: string): StatRow {
  return of.seen[moment].get(name) ?? {};
}

function cell(of: Run, moment: keyof Seen, name: string, column: string): string {
  const value = row(of, moment, name)[column] ?? '';
  return value === '' ? '0' : (of.places.get(value) ?? value);
}

function number(of: Run, moment: keyof Seen, name: string, column: string): number {
  return Number(cell(of, moment, name, column));
}

test('the same rows in the same order, and the columns of HAProxy', () => {
  for (const moment of moments) expect([...limpet.seen[moment].keys()]).toEqual([...haproxy.seen[moment].keys()]);
  const columns = Object.keys(row(limpet, 'live', 'mqtt/FRONTEND'));
  expect(columns).toEqual(Object.keys(row(haproxy, 'live', 'mqtt/FRONTEND')).slice(0, columns.length));
  expect(columns.filter(column => !COLUMNS.has(column))).toEqual([]);
  expect([...COLUMNS.keys()].filter(column => !columns.includes(column))).toEqual([]);
});

describe.each([...COLUMNS].flatMap(([column, expected]) => (expected.same ? [{ column, expected }] : [])))(
  '$column',
  ({ column, expected }) => {
    test.each(moments)('%s', moment => {
      const names = [...haproxy.seen[moment].keys()].filter(
        name => !('but' in expected && expected.but.test(`${moment} ${name}`)),
      );
      const cells = (of: Run): string[] => names.map(name => `${name} ${cell(of, moment, name, column)}`);
      expect(cells(limpet)).toEqual(cells(haproxy));
    });
  },
);

test.each(moments)('%s: what was turned away is the same number, whatever it is called', moment => {
  const sum = (of: Run): number =>
    ['dreq', 'ereq', 'dcon'].reduce((total, column) => total + number(of, moment, 'mqtt/FRONTEND', column), 0);
  expect(sum(limpet)).toBe(sum(haproxy));
  expect(sum(limpet)).toBe(3);
});

test.each(moments)('%s: sessions of a backend differ by those that their broker refused', moment => {
  const stot = (of: Run): number => number(of, moment, 'brokers/BACKEND', 'stot');
  expect(stot(limpet)).toBe(stot(haproxy) - 2);
});

test('failed checks are at least those that marked the server DOWN', () => {
  const [theirs, ours] = [haproxy, limpet].map(of => number(of, 'settled', 'brokers/b2', 'chkfail'));
  expect(theirs).toBe(2);
  expect(ours).toBeGreaterThanOrEqual(2);
});

test('rates are of one size', () => {
  for (const name of ['mqtt/FRONTEND', 'brokers/BACKEND']) {
    const [theirs, ours] = [haproxy, limpet].map(of => number(of, 'settled', name, 'rate_max'));
    expect(ours).toBeGreaterThan((theirs ?? 0) / 4);
    expect(ours).toBeLessThan((theirs ?? 0) * 4);
  }
});
