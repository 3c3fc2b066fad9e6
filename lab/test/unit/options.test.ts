import { expect, test } from 'vitest';
import { faultNames } from '../../faults.ts';
import { readOptions } from '../../options.ts';

test('without a word: everything, and the committed report is written', () => {
  expect(readOptions([])).toMatchObject({
    faults: faultNames,
    by: ['keepalived', 'vip'],
    timings: ['fast', 'default'],
    runs: 5,
    crowd: 2000,
    report: expect.stringMatching(/lab\/report\.md$/),
  });
});

test('a part of it overwrites no report', () => {
  expect(readOptions(['--by', 'vip', '--faults', 'link-down,clean-stop'])).toMatchObject({
    faults: ['link-down', 'clean-stop'],
    by: ['vip'],
    report: null,
  });
});

test.each([
  [['--faults', 'link-cut'], 'There is no fault "link-cut"; there are proxy-killed, '],
  [['--runs', '0'], '--runs is a whole number from 1 to 50, not "0".'],
  [['--crowd', 'many'], '--crowd is a whole number from 0 to 10000, not "many".'],
  [['--quick'], "Unknown option '--quick'"],
])('%j is refused', (args, why) => {
  expect(readOptions(args)).toContain(why);
});
