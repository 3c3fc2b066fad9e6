import type { AdminState } from '@limpet/state';
import { expect, test } from 'vitest';
import type { LastCheck, ServerHealth } from '../../../../src/health/server_watch.ts';
import { saysThere, saysUp, verdictWords } from '../../../../src/process/peers/verdict_words.ts';

const OK: LastCheck = { ok: true, status: 'L7OK', code: 0, info: '', durationMs: 1, atMs: 0 };
const REASON = 'Layer4 connection problem (ECONNREFUSED)';

function health(more: Partial<ServerHealth>): ServerHealth {
  const base = { suspect: false, sinceMs: 0, reason: 'no check', checked: true, enabled: true };
  return { ...base, verdict: 'up', lastCheck: OK, ...more };
}

test.each<[AdminState, Partial<ServerHealth>, string, boolean, boolean]>([
  ['ready', {}, 'UP L7OK', true, true],
  ['drain_new', {}, 'UP L7OK', true, true],
  ['ready', { lastCheck: null }, 'UP', true, true],
  ['ready', { lastCheck: null, checked: false, enabled: false }, 'no check', false, true],
  [
    'ready',
    { verdict: 'down', reason: REASON, lastCheck: { ...OK, status: 'L4CON' } },
    `DOWN L4CON ${REASON}`,
    false,
    false,
  ],
  [
    'ready',
    { verdict: 'down', reason: 'Resolution failure', lastCheck: null },
    'DOWN Resolution failure',
    false,
    false,
  ],
  ['drain', {}, 'DRAIN UP L7OK', false, true],
  ['maint', { lastCheck: null, checked: false, enabled: false }, 'MAINT no check', false, true],
  ['drain', { verdict: 'down', reason: REASON, lastCheck: null }, `DRAIN DOWN ${REASON}`, false, false],
])('%s %j: %s', (admin, more, words, isUp, isThere) => {
  expect(verdictWords(admin, health(more))).toBe(words);
  expect([saysUp(words), saysThere(words)]).toEqual([isUp, isThere]);
});

test('one release earlier an operator had the only word, and it was not that the server is gone', () => {
  expect(['DRAIN', 'MAINT', 'drain', 'MAINT '].every(saysThere)).toBe(true);
  expect(['', ' ', 'DRAINED UP', 'DRAIN MAINT', 'MAINT UPSET'].some(saysThere)).toBe(false);
});
