import { expect, test } from 'vitest';
import { type Results, reportOf } from '../../report.ts';
import type { Trial } from '../../trial.ts';

const trial: Trial = {
  fault: 'link-down',
  quietMs: 9.6,
  gapMs: 62.4,
  backGapMs: 7,
  failed: 3,
  from: 'proxy1',
  to: 'proxy2',
  overlapMs: 0,
  cutOffOverlapMs: 12.2,
  story: '',
};

function results(trials: readonly Trial[]): Results {
  return {
    about: ['a machine'],
    faults: ['link-down'],
    runs: trials.length,
    series: [{ by: 'vip', timing: 'fast', trials }],
    crowds: [],
  };
}

test('a cell is the median and the worst of its runs', () => {
  const report = reportOf(results([trial, { ...trial, gapMs: 71.6 }, { ...trial, gapMs: 60.1 }]));
  expect(report).toContain("| host's link down |  80 |   62 / 72 |");
  expect(report).toContain("| host's link down | 0 / 0 (12 / 12) |");
});

test('a fault that was not survived is no figure', () => {
  expect(reportOf(results([trial, { ...trial, gapMs: null }]))).toContain('|  80 | 1 × not survived |');
});

test('a crowd is told of in words', () => {
  const result = {
    ...{
      clients: 10,
      connectRate: 400,
      toldAtOnce: 10,
      back: 10,
      atFirstAttempt: 9,
      sessionPresent: 10,
      sameBroker: 10,
    },
    ...{ allBackMs: 5_210, longestWaitMs: 310, mostInASecond: 7, failed: { ECONNREFUSED: 2 } },
  };
  const report = reportOf({ ...results([]), crowds: [{ by: 'vip', result }] });
  expect(report).toContain('- back: 10 of 10, 9 of them at their first attempt');
  expect(report).toContain('- failed attempts: 2 × ECONNREFUSED');
});
