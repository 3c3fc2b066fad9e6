import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { tcplogLine } from '../../../src/account/tcplog.ts';
import { inbound, link } from './sessions.ts';

const COUNTS = { total: 5, frontend: 4, backend: 3, server: 2 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(2026, 1, 3, 4, 5, 6, 78) });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a session that had a broker', () => {
  const line = tcplogLine(
    inbound(),
    link({ retries: 1 }),
    { end: 'client_closed', bytesIn: 10, bytesOut: 212 },
    5007,
    COUNTS,
  );
  expect(line).toBe('192.0.2.7:50123 [03/Feb/2026:04:05:01.071] mqtt emqx/emqx1 0/2/5007 212 -- 5/4/3/2/1 0/0');
});

test('a session that had none', () => {
  const line = tcplogLine(inbound(), { backend: 'emqx', server: null, retries: 0 }, 'no_server', 3.4, COUNTS);
  expect(line).toBe('192.0.2.7:50123 [03/Feb/2026:04:05:06.074] mqtt emqx/<NOSRV> -1/-1/3 0 SC 5/4/3/2/0 0/0');
});

test('an IPv6 address is written as HAProxy does, without brackets', () => {
  const from6 = inbound({ source: { address: '2001:db8::7', port: 50_123 } });
  const line = tcplogLine(from6, link(), { end: 'server_reset', bytesIn: 0, bytesOut: 0 }, 1, COUNTS);
  expect(line).toMatch(/^2001:db8::7:50123 \[/);
});

describe('the termination state (HAProxy 2.6, 8.5)', () => {
  test.each([
    ['client_closed', '--'],
    ['server_closed', '--'],
    ['client_reset', 'CD'],
    ['server_reset', 'SD'],
    ['client_idle', 'cD'],
    ['server_idle', 'sD'],
    ['server_down', 'DD'],
    ['maintenance', 'KD'],
    ['drained', 'KD'],
    ['shutdown', 'KD'],
    ['killed', 'KD'],
  ] as const)('%s is %s', (end, state) => {
    const line = tcplogLine(inbound(), link(), { end, bytesIn: 0, bytesOut: 0 }, 1, COUNTS);
    expect(line.split(' ')[6]).toBe(state);
  });

  test.each([
    ['too_late', 'cR'],
    ['closed_early', 'CR'],
    ['no_server', 'SC'],
    ['all_failed', 'SC'],
    ['refused_by_server', 'SC'],
    ['server_full', 'PC'],
    ['preread_memory', 'RR'],
    ['malformed', 'PR'],
    ['not_mqtt', 'PR'],
  ])('%s is %s', (reason, state) => {
    const line = tcplogLine(inbound(), { backend: 'emqx', server: null, retries: 0 }, reason, 1, COUNTS);
    expect(line.split(' ')[6]).toBe(state);
  });
});
