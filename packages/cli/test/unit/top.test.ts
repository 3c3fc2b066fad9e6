import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { backendFacts, latencies, serverFacts, snapshotFacts } from '../../../proxy/test/kit/admin_facts.ts';
import { PLAIN } from '../../src/output/paint.ts';
import { type TopModel, topFrame } from '../../src/top/frame.ts';
import { pressed, START, type TopState } from '../../src/top/keys.ts';
import { latency, shownColumns } from '../../src/top/rows.ts';
import { Samples } from '../../src/top/samples.ts';
import { overviewOf } from './overview.ts';

const FACTS = snapshotFacts();
const SHOWN = { columns: ['server', 'state', 'sessions'], rows: ['a', 'b', 'c', 'd'], page: 2 };

function model(changes: Partial<TopModel> = {}): TopModel {
  const samples = new Samples();
  samples.add(overviewOf(FACTS));
  return { seen: overviewOf(FACTS), samples, state: START, trouble: null, nowMs: FACTS.atMs, ...changes };
}

describe('keys', () => {
  const cases: [before: Partial<TopState>, key: object, after: Partial<TopState>][] = [
    [{}, { name: 'down' }, { selected: 'b' }],
    [{ selected: 'b' }, { name: 'j' }, { selected: 'c' }],
    [{ selected: 'd' }, { name: 'j' }, { selected: 'd' }],
    [{ selected: 'a' }, { name: 'k' }, { selected: 'a' }],
    [{ selected: 'gone' }, { name: 'j' }, { selected: 'b' }],
    [{ selected: 'a' }, { name: 'pagedown' }, { selected: 'c' }],
    [{ selected: 'c' }, { name: 'g', sequence: 'g' }, { selected: 'a' }],
    [{ selected: 'a' }, { name: 'g', sequence: 'G', shift: true }, { selected: 'd' }],
    [{}, { name: 'right' }, { sort: 'state', isDescending: false }],
    [{}, { name: 'left' }, { sort: 'sessions', isDescending: true }],
    [{ sort: 'hidden' }, { name: 'l' }, { sort: 'state' }],
    [{}, { name: 'r' }, { isDescending: true }],
    [{}, { name: 'space' }, { isPaused: true }],
    [{ isPaused: true }, { name: 'p' }, { isPaused: false }],
    [{}, { sequence: '?' }, { isHelpShown: true }],
    [{ isHelpShown: true }, { name: 'r' }, { isHelpShown: false, isDescending: false }],
    [{}, { name: 'x' }, {}],
  ];
  it.each(cases)('%j %j', (before, key, after) => {
    const state = { ...START, ...before };
    expect(pressed(state, key, SHOWN)).toEqual({ ...state, ...after });
  });

  it.each([{ name: 'q' }, { name: 'c', ctrl: true }])('%j leaves', key => {
    expect(pressed({ ...START, isHelpShown: true }, key, SHOWN)).toBeNull();
  });

  it('are harmless where nothing is shown', () => {
    expect(pressed(START, { name: 'j' }, { ...SHOWN, rows: [] })?.selected).toBeNull();
  });
});

describe('a frame', () => {
  it.each([
    [80, 24],
    [200, 60],
    [50, 9],
    [20, 5],
    [10, 2],
  ])('fits in %d × %d, whatever it shows', (columns, rows) => {
    const many = Array.from({ length: 200 }, (_, at) => serverFacts(`emqx${at}`));
    const seen = overviewOf({ ...FACTS, backends: [backendFacts('a-backend-with-a-long-name', many)] });
    for (const changes of [
      {},
      { state: { ...START, isHelpShown: true } },
      { trouble: { why: 'nobody listens at /run/limpet/limpet.sock', sinceMs: 0 } },
      { state: { ...START, selected: 'a-backend-with-a-long-name/emqx199' } },
    ]) {
      const { lines } = topFrame(model({ seen, ...changes }), { columns, rows }, PLAIN);
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('keeps the chosen server on the screen, wherever it is sorted to', () => {
    const many = Array.from({ length: 200 }, (_, at) => serverFacts(`emqx${at}`, { sessions: at }));
    const seen = overviewOf({ ...FACTS, backends: [backendFacts('b', many)] });
    for (const isDescending of [true, false]) {
      const state = { ...START, sort: 'sessions', isDescending, selected: 'b/emqx3' };
      const { lines, shown } = topFrame(model({ seen, state }), { columns: 80, rows: 24 }, PLAIN);
      expect(lines.filter(line => line.startsWith('>'))).toEqual([expect.stringMatching(/^>b\/emqx3 /)]);
      expect(shown.rows[0]).toBe(isDescending ? 'b/emqx199' : 'b/emqx0');
    }
  });

  it('has a line of the proxies where there is more than one', () => {
    const size = { columns: 120, rows: 24 };
    expect(topFrame(model(), size, PLAIN).lines).toContain('proxies  lb1 active 3, lb2 standby silent');
    const idle = FACTS.proxies.map(one =>
      one.self ? one : { ...one, state: 'alive' as const, ready: false, conns: 0 },
    );
    expect(topFrame(model({ seen: overviewOf({ ...FACTS, proxies: idle }) }), size, PLAIN).lines).toContain(
      'proxies  lb1 active 3, lb2 standby not ready 0',
    );
    const proxies = FACTS.proxies.slice(0, 1);
    const alone = topFrame(model({ seen: overviewOf({ ...FACTS, proxies }) }), size, PLAIN);
    expect(alone.lines.join('\n')).not.toContain('proxies');
  });

  it('says what is wrong', () => {
    const { info } = FACTS;
    const odd = { ...info, storeReachable: false, stopping: true, queued: 4 };
    const text = topFrame(
      model({ seen: overviewOf({ ...FACTS, info: odd }) }),
      { columns: 120, rows: 24 },
      PLAIN,
    ).lines.join('\n');
    expect(text).toMatch(/workers 1\/2 {2}redis does not answer {2}stopping/);
    expect(text).toContain('waiting 4');
    const away = { why: 'nobody listens', sinceMs: FACTS.atMs - 5_000 };
    expect(topFrame(model({ trouble: away }), { columns: 80, rows: 24 }, PLAIN).lines[0]).toBe(
      'limpet lb1 0.1.0  does not answer for 5 s: nobody listens',
    );
  });

  it('leaves columns out where there is no room', () => {
    expect(shownColumns(120).map(({ key }) => key)).toHaveLength(10);
    expect(shownColumns(80).map(({ key }) => key)).toEqual([
      'server',
      'state',
      'sessions',
      'share',
      'rate',
      'in',
      'out',
      'connack',
    ]);
    expect(shownColumns(40).map(({ key }) => key)).toEqual(['server', 'state', 'sessions']);
    expect(shownColumns(5).map(({ key }) => key)).toEqual(['server', 'sessions']);
  });
});

describe('what happened lately', () => {
  function at(second: number, changes: Parameters<typeof serverFacts>[1]): ReturnType<typeof overviewOf> {
    const backends = [backendFacts('b', [serverFacts('s', changes)])];
    return overviewOf({ ...FACTS, atMs: FACTS.atMs + second * 1_000, backends });
  }

  it('is told by the second, and latency by the minute', () => {
    const samples = new Samples();
    expect(samples.pace('b/s')).toBeNull();
    samples.add(at(0, { counts: { bytes_in: 1_000, 'end:client_closed': 1 }, connack: latencies(0) }));
    expect(samples.pace('b/s')).toBeNull();
    samples.add(
      at(2, { counts: { bytes_in: 3_000, 'end:client_closed': 1, 'end:idle': 8 } as never, connack: latencies(100) }),
    );
    expect(samples.pace('b/s')).toMatchObject({ bytesIn: 1_000, bytesOut: 0, ended: 4, refused: 0 });
    expect(samples.pace('b/s')?.connackP50).toBeGreaterThan(0.5);
    samples.add(at(5, { counts: { bytes_in: 3_000 }, connack: latencies(100) }));
    expect(samples.pace('b/s')?.bytesIn).toBe(0);
    samples.add(at(70, { counts: { bytes_in: 3_000 }, connack: latencies(100) }));
    expect(samples.pace('b/s')).toBeNull();
  });

  it('begins anew with another process', () => {
    const samples = new Samples();
    samples.add(at(0, {}));
    const later = at(2, { counts: {} });
    samples.add({ ...later, info: { ...later.info, started_at_ms: later.info.at_ms - 500 } });
    expect(samples.pace('b/s')).toBeNull();
  });

  it.each([
    [null, '-'],
    [0.42, '0.4 ms'],
    [12.3, '12 ms'],
    [1_234, '1.2 s'],
  ])('%s ms', (ms, text) => {
    expect(latency(ms)).toBe(text);
  });
});
