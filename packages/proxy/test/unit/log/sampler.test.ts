import { expect, test } from 'vitest';
import { Sampler } from '../../../src/log/sampler.ts';

/** The weights of so many lines at one time. */
function weights(sampler: Sampler, event: string, nowMs: number, lines: number): readonly number[] {
  return Array.from({ length: lines }, () => sampler.judge(event, nowMs).weight);
}

test('up to the limit all lines are written, of the rest one in so many, which says so', () => {
  const sampler = new Sampler({ above: 3, keep: 4 });
  expect(weights(sampler, 'connect', 0, 12)).toEqual([1, 1, 1, 0, 0, 0, 4, 0, 0, 0, 4, 0]);
});

test('each second and each event counts for itself', () => {
  const sampler = new Sampler({ above: 1, keep: 100 });
  expect(weights(sampler, 'connect', 500, 2)).toEqual([1, 0]);
  expect(weights(sampler, 'end', 999, 2)).toEqual([1, 0]);
  expect(weights(sampler, 'connect', 1000, 2)).toEqual([1, 0]);
});

test('what was left out is told once, by the next second that has a line', () => {
  const sampler = new Sampler({ above: 2, keep: 3 });
  weights(sampler, 'tcplog', 0, 7);
  expect(sampler.judge('tcplog', 900)).toEqual({ weight: 3, leftOut: 0 });
  expect(sampler.judge('tcplog', 5000)).toEqual({ weight: 1, leftOut: 4 });
  expect(sampler.judge('tcplog', 6000)).toEqual({ weight: 1, leftOut: 0 });
});

test('what is written stands for what there was, within one sample', () => {
  const sampler = new Sampler({ above: 1000, keep: 100 });
  const written = weights(sampler, 'connect', 0, 50_000);
  expect(written.filter(weight => weight > 0)).toHaveLength(1000 + 490);
  expect(written.reduce((sum, weight) => sum + weight, 0)).toBe(50_000);
});

test('less than one line a second is a limit too', () => {
  expect(weights(new Sampler({ above: 0.5, keep: 2 }), 'connect', 0, 4)).toEqual([0, 2, 0, 2]);
});
