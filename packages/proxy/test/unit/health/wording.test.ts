import { describe, expect, test } from 'vitest';
import { isLocalTrouble } from '../../../src/errors.ts';
import { type CheckStatus, describeCheck } from '../../../src/health/check_status.ts';
import { transitionLines } from '../../../src/health/transition_log.ts';

test.each<[CheckStatus, number | null, string, string]>([
  ['L4CON', null, 'ECONNREFUSED', 'Layer4 connection problem (ECONNREFUSED)'],
  ['L4TOUT', null, '', 'Layer4 timeout'],
  ['L7STS', 503, '', 'Layer7 wrong status, code: 503'],
  ['L7STS', 3, 'server unavailable', 'Layer7 wrong status, code: 3 (server unavailable)'],
  ['L7OK', 200, '', 'Layer7 check passed, code: 200'],
])('%s %s %s: %s', (status, code, info, text) => {
  expect(describeCheck({ status, code, info })).toBe(text);
});

test.each([
  ['EMFILE', true],
  ['ENFILE', true],
  ['EADDRNOTAVAIL', true],
  ['EADDRINUSE', true],
  ['ENOSPC', true],
  ['ENOMEM', true],
  ['ENOBUFS', true],
  ['EAGAIN', true],
  ['EACCES', true],
  ['EPERM', true],
  ['ECONNREFUSED', false],
  ['EHOSTUNREACH', false],
  ['ETIMEDOUT', false],
])('P9: %s is trouble of this host, to sessions and to checks: %s', (code, local) => {
  expect(isLocalTrouble(code)).toBe(local);
});

describe('transitions', () => {
  const reason = 'Layer4 connection problem (ECONNREFUSED)';

  test('DOWN, with servers left', () => {
    expect(transitionLines('emqx', 'emqx1', 'down', reason, { active: 2, backup: 0, hasBackups: false })).toEqual([
      { level: 'warn', message: `server emqx/emqx1 is DOWN, reason: ${reason}, 2 servers left` },
    ]);
  });

  test('UP', () => {
    const left = { active: 3, backup: 0, hasBackups: false };
    expect(transitionLines('emqx', 'emqx1', 'up', 'Layer7 check passed, code: 0', left)).toEqual([
      { level: 'info', message: 'server emqx/emqx1 is UP, reason: Layer7 check passed, code: 0, 3 servers left' },
    ]);
  });

  test('backups are counted apart, and only where there are any', () => {
    const [line] = transitionLines('emqx', 'emqx1', 'down', reason, { active: 1, backup: 1, hasBackups: true });
    expect(line?.message).toMatch(/, 1 server left, 1 backup$/);
  });

  test('the last one to go says that nobody is left', () => {
    expect(transitionLines('emqx', 'emqx1', 'down', reason, { active: 0, backup: 0, hasBackups: false })).toEqual([
      { level: 'warn', message: `server emqx/emqx1 is DOWN, reason: ${reason}, 0 servers left` },
      { level: 'error', message: 'backend emqx has no server available' },
    ]);
  });

  test('a backup that is left is somebody', () => {
    expect(transitionLines('emqx', 'a', 'down', reason, { active: 0, backup: 1, hasBackups: true })).toHaveLength(1);
  });
});
