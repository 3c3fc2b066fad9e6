import { describe, expect, test } from 'vitest';
import { LATENCY_BOUNDS_MS } from '../../../../src/account/counters.ts';
import { quantileMs } from '../../../../src/account/latency.ts';
import { serverState, serverViews } from '../../../../src/admin/page/server_view.ts';
import { pageView } from '../../../../src/admin/page/view.ts';
import type { ServerFacts } from '../../../../src/admin/snapshot.ts';
import { backend, fleet, server, snapshotOf } from '../../../flow/admin/page_facts.ts';

const NOW = 1_790_000_000_000;

function one(more: Partial<ServerFacts>): ServerFacts {
  return server('s1', 1, NOW, more);
}

describe('the state of a server', () => {
  test.each<readonly [string, Partial<ServerFacts>, string, string]>([
    ['up', {}, 'UP', 'up'],
    ['up, but a check has failed', { suspect: true }, 'UP, failing', 'warn'],
    ['weight 0', { weight: 0 }, 'UP, NOLB', 'drain'],
    ['down', { verdict: 'down' }, 'DOWN', 'down'],
    ['not checked', { verdict: 'no_check' }, 'no check', 'none'],
    ['drain', { admin: 'drain' }, 'DRAIN', 'drain'],
    ['drain_new', { admin: 'drain_new' }, 'DRAIN NEW', 'drain'],
    ['drained and down', { admin: 'drain', verdict: 'down' }, 'DRAIN, DOWN', 'down'],
    ['maint hides the verdict', { admin: 'maint', verdict: 'down' }, 'MAINT', 'maint'],
  ])('%s', (_title, more, word, tone) => {
    expect(serverState(one(more))).toEqual({ word, tone });
  });
});

describe('shares', () => {
  const shares = (...servers: readonly Partial<ServerFacts>[]): readonly (readonly [number, number | null])[] =>
    serverViews(backend('b', servers.map(one))).map(({ share, fairShare }) => [share, fairShare]);

  test('by sessions, and by weight among those that get clients', () => {
    const drained = { sessions: 100, admin: 'drain' } as const;
    expect(shares({ sessions: 100, weight: 3 }, { sessions: 200, weight: 1 }, drained)).toEqual([
      [0.25, 0.75],
      [0.5, 0.25],
      [0.25, null],
    ]);
  });

  test('a backup has one only where nobody else is usable', () => {
    expect(shares({ sessions: 0 }, { sessions: 0, backup: true })).toEqual([
      [0, 1],
      [0, null],
    ]);
    expect(shares({ verdict: 'down', sessions: 1 }, { sessions: 0, backup: true })).toEqual([
      [1, null],
      [0, 1],
    ]);
  });
});

describe('an estimate', () => {
  const histogram = (buckets: Readonly<Record<number, number>>) => ({
    buckets: [...LATENCY_BOUNDS_MS, 0].map((_, at) => buckets[at] ?? 0),
    sumMs: 0,
    count: 0,
  });

  test.each<readonly [string, Readonly<Record<number, number>>, number, number | null]>([
    ['nothing measured', {}, 0.5, null],
    ['the middle of the first bucket', { 0: 10 }, 0.5, 0.25],
    ['in a later bucket, from its lower bound on', { 2: 10 }, 0.5, 1.5],
    ['across buckets', { 0: 50, 3: 50 }, 0.99, 4.94],
    ['above all bounds', { 14: 3 }, 0.5, 10_000],
  ])('%s', (_title, buckets, part, value) => {
    const answer = quantileMs(histogram(buckets).buckets, part);
    if (value === null) expect(answer).toBeNull();
    else expect(answer).toBeCloseTo(value);
  });
});

test('the view of 200 brokers stays small, and a check is told in one word', () => {
  const view = pageView(snapshotOf([backend('fleet', fleet(200, NOW, 1))], [], NOW), 'operator');
  expect(JSON.stringify(view).length).toBeLessThan(200_000);
  expect(view.level).toBe('operator');
  expect(view.backends[0]?.servers[0]?.check?.word).toBe('L7OK/0');
  expect(view.backends[0]?.servers[5]?.check?.word).toBe('L4CON');
  expect(view.frontends[0]?.refused).toBe(35);
  expect(view.proxy.refused).toBe(35);
});
