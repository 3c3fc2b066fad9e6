import { expect, test } from 'vitest';
import { serviceManagerOf } from '../../../src/process/notify.ts';
import { serviceStatus } from '../../../src/process/service_status.ts';
import { backendFacts, serverFacts, snapshotFacts } from '../../kit/admin_facts.ts';

const socket = '/run/systemd/notify';

test.each([
  [{}, null],
  [{ NOTIFY_SOCKET: '' }, null],
  [{ WATCHDOG_USEC: '1000000' }, null],
  [{ NOTIFY_SOCKET: socket }, { socket, watchdogMs: null }],
  [{ NOTIFY_SOCKET: '@abstract' }, { socket: '@abstract', watchdogMs: null }],
  [
    { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000' },
    { socket, watchdogMs: 30_000 },
  ],
  [
    { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '42' },
    { socket, watchdogMs: 30_000 },
  ],
  [
    { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '43' },
    { socket, watchdogMs: null },
  ],
  [
    { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '0' },
    { socket, watchdogMs: null },
  ],
  [
    { NOTIFY_SOCKET: socket, WATCHDOG_USEC: 'soon' },
    { socket, watchdogMs: null },
  ],
] as const)('the environment %j', (env, manager) => {
  expect(serviceManagerOf(env, 42)).toEqual(manager);
});

test('the line for systemctl status', () => {
  const facts = snapshotFacts();
  expect(serviceStatus(facts)).toBe('3 sessions, 1 new/s, 3 of 3 servers up, drain emqx/emqx2: 20 left');
});

test('a server that is down, Redis that is away, a proxy that stops', () => {
  const { info } = snapshotFacts();
  const backends = [backendFacts('emqx', [serverFacts('a'), serverFacts('b', { verdict: 'down' })])];
  const facts = snapshotFacts({ info: { ...info, storeReachable: false, stopping: true }, backends, tasks: [] });
  expect(serviceStatus(facts)).toBe('stopping, 3 sessions, 1 new/s, 1 of 2 servers up, Redis away');
});
