import { expect, test } from 'vitest';
import type { Sight } from '../../../../src/dial/attempt.ts';
import { Disputes } from '../../../../src/process/peers/disputes.ts';

const INTER_MS = 5000;

function disputes(...upElsewhere: string[]): Disputes {
  const made = new Disputes();
  made.hear(new Set(upElsewhere));
  return made;
}

test('is open where another proxy finds the server well, and only there', () => {
  const made = disputes('emqx/a');
  expect([made.isOpen('emqx/a', INTER_MS, 0), made.isOpen('emqx/b', INTER_MS, 0)]).toEqual([true, false]);
  made.hear(new Set());
  expect(made.isOpen('emqx/a', INTER_MS, 0)).toBe(false);
});

test.each<[Sight, boolean, boolean]>([
  ['dial', true, true],
  ['connack_timeout', true, true],
  ['refused', true, true],
  ['closed', true, true],
  ['accepted', true, false],
  // While it is up for this proxy, a client may have provoked these.
  ['dial', false, true],
  ['connack_timeout', false, true],
  ['refused', false, false],
  ['closed', false, false],
  ['accepted', false, false],
])('%s, contested %s: settles it %s', (sight, isContested, settles) => {
  const made = disputes('emqx/a', 'emqx/b');
  made.seen('emqx/a', sight, isContested, 1000);
  expect(made.isOpen('emqx/a', INTER_MS, 1001)).toBe(!settles);
  expect(made.isOpen('emqx/b', INTER_MS, 1001)).toBe(true);
});

test.each([
  [5000, 5000],
  [100, 2000],
])('a failed attempt counts for the check interval of %i ms, but for 2 s at least', (interMs, settledMs) => {
  const made = disputes('emqx/a');
  made.seen('emqx/a', 'dial', true, 1000);
  expect(made.isOpen('emqx/a', interMs, 1000 + settledMs)).toBe(false);
  expect(made.isOpen('emqx/a', interMs, 1001 + settledMs)).toBe(true);
});

test('what is gone is forgotten', () => {
  const made = disputes('emqx/a');
  made.seen('emqx/a', 'dial', true, 1000);
  made.keep(new Set(['emqx/b']));
  expect(made.isOpen('emqx/a', INTER_MS, 1001)).toBe(true);
});
