import { afterEach, describe, expect, test } from 'vitest';
import type { BackendConfig, LogLevel } from '../../../src/config/resolved.ts';
import { createHealthMonitor, type HealthChange, type HealthMonitor } from '../../../src/health/monitor.ts';
import { until } from '../../kit/condition.ts';
import { startMosquitto } from '../../kit/mosquitto.ts';
import { freePort } from '../../kit/port.ts';
import { backendConfig, checkConfig, listen, localHeader, MQTT, serverConfig } from './servers.ts';

interface Watched {
  readonly monitor: HealthMonitor;
  readonly changes: HealthChange[];
  readonly lines: { readonly level: LogLevel; readonly message: string }[];
  /** Waits for a line of the log. */
  line(pattern: RegExp): Promise<string>;
}

const started: HealthMonitor[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(monitor => monitor.stop()));
});

function watch(
  backends: readonly BackendConfig[],
  address: (server: string) => string | null = () => '127.0.0.1',
): Watched {
  const changes: HealthChange[] = [];
  const lines: { level: LogLevel; message: string; fields: unknown }[] = [];
  const monitor = createHealthMonitor({
    backends,
    proxyName: 'lb1',
    address: (_backend, server) => address(server),
    encodeLocalHeader: localHeader,
    tls: () => null,
    onChange: change => changes.push(change),
    log: (level, message, fields) => lines.push({ level, message, fields }),
  });
  started.push(monitor);
  monitor.start();
  const line = (pattern: RegExp) =>
    until(() => lines.find(({ message }) => pattern.test(message))?.message, {
      what: `a line like ${pattern}`,
      seen: () => JSON.stringify(lines),
    });
  return { monitor, changes, lines, line };
}

const isChecked = (monitor: HealthMonitor, server: string) => () => monitor.state('emqx', server).lastCheck?.ok;

describe('real brokers', () => {
  test('P5: one that is killed goes DOWN, one that comes back goes UP, with the servers that are left', async () => {
    await using one = await startMosquitto();
    await using two = await startMosquitto();
    const { monitor, changes, line } = watch([
      backendConfig('emqx', [serverConfig('emqx1', one.port), serverConfig('emqx2', two.port)]),
    ]);
    await until(isChecked(monitor, 'emqx1'), { what: 'the first check' });
    expect(monitor.state('emqx', 'emqx1')).toMatchObject({ verdict: 'up', reason: 'Layer7 check passed, code: 0' });
    await one.kill9();
    expect(await line(/emqx1 is DOWN/)).toBe(
      'server emqx/emqx1 is DOWN, reason: Layer4 connection problem (ECONNREFUSED), 1 server left',
    );
    expect(changes.at(-1)).toMatchObject({
      backend: 'emqx',
      server: 'emqx1',
      verdictChanged: true,
      health: { verdict: 'down', lastCheck: { ok: false, status: 'L4CON' } },
    });
    await one.restart();
    expect(await line(/emqx1 is UP/)).toBe(
      'server emqx/emqx1 is UP, reason: Layer7 check passed, code: 0, 2 servers left',
    );
    expect(monitor.state('emqx', 'emqx2').verdict).toBe('up');
  });

  test('P5: a frozen one goes DOWN with what a client met, and the backend says once that nobody is left', async () => {
    await using broker = await startMosquitto();
    const check = checkConfig(MQTT, { interMs: 60_000, timeoutMs: 200 });
    const { monitor, changes, lines, line } = watch([
      backendConfig('emqx', [serverConfig('emqx1', broker.port, { check })]),
    ]);
    await until(isChecked(monitor, 'emqx1'), { what: 'the first check' });
    broker.freeze();
    monitor.passive('emqx', 'emqx1', 'connack_timeout');
    expect(changes).toEqual([
      expect.objectContaining({
        verdictChanged: false,
        suspectChanged: true,
        health: expect.objectContaining({ suspect: true, verdict: 'up' }),
      }),
    ]);
    expect(await line(/emqx1 is DOWN/)).toBe('server emqx/emqx1 is DOWN, reason: Layer7 timeout, 0 servers left');
    expect(lines.at(-1)).toMatchObject({ level: 'error', message: 'backend emqx has no server available' });
    broker.thaw();
    await line(/emqx1 is UP/);
    // An MQTT check shows that CONNACKs come again.
    expect(monitor.state('emqx', 'emqx1').suspect).toBe(false);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('each server is checked under an id of its own', async () => {
    await using broker = await startMosquitto();
    const servers = [serverConfig('emqx1', broker.port), serverConfig('emqx2', broker.port)];
    watch([backendConfig('emqx', servers)]);
    watch([backendConfig('emqx', servers)]);
    const ids = () => new Set(broker.connections().map(connection => connection.clientId));
    await until(() => ids().size === 4, { what: 'four ids', seen: () => [...ids()].join(' ') });
    for (const id of ids()) expect(id).toMatch(/^limpet-check-lb1-[0-9a-f]{6}-[12]$/);
  });
});

test('a server that has never answered is DOWN after its first check', async () => {
  const { line, lines } = watch([
    backendConfig('emqx', [
      serverConfig('emqx1', await freePort()),
      serverConfig('spare', await freePort(), { backup: true, check: null }),
    ]),
  ]);
  expect(await line(/DOWN/)).toMatch(/\(ECONNREFUSED\), 0 servers left, 1 backup$/);
  expect(lines).toHaveLength(1);
});

test('P11: user name and password of a check are in no line and no change', async () => {
  await using server = await listen(socket => socket.end());
  const probe = { type: 'mqtt', username: 'probe-user', password: 'probe-secret' } as const;
  const { changes, lines, line } = watch([
    backendConfig('emqx', [serverConfig('emqx1', server.port, { check: checkConfig(probe) })]),
  ]);
  await line(/DOWN/);
  expect(Buffer.concat(server.received()).includes('probe-secret')).toBe(true);
  expect(JSON.stringify([changes, lines])).not.toMatch(/probe-user|probe-secret/);
});

test('a name that does not resolve is DOWN, and checked as soon as it does', async () => {
  await using broker = await startMosquitto();
  let address: string | null = null;
  const { monitor, line } = watch(
    [backendConfig('emqx', [serverConfig('emqx1', broker.port, { host: 'emqx1.test' })])],
    () => address,
  );
  expect(await line(/DOWN/)).toMatch(/reason: Resolution failure \(emqx1\.test does not resolve\), 0 servers left/);
  address = '127.0.0.1';
  monitor.addressChanged('emqx', 'emqx1');
  await line(/emqx1 is UP, reason: Layer7 check passed/);
});

test('a check can be called for', async () => {
  await using server = await listen(socket => socket.write(Buffer.from('20020000', 'hex')));
  const check = checkConfig(MQTT, { interMs: 3_600_000, fastinterMs: 3_600_000 });
  const { monitor } = watch([backendConfig('emqx', [serverConfig('emqx1', server.port, { check })])]);
  await until(isChecked(monitor, 'emqx1'), { what: 'the first check' });
  monitor.checkNow('emqx', 'emqx1');
  await until(() => server.received().length === 2, { what: 'the second check' });
});

test('stop() leaves no connection behind', async () => {
  await using server = await listen();
  const check = checkConfig(MQTT, { timeoutMs: 3_600_000 });
  const { monitor, changes } = watch([backendConfig('emqx', [serverConfig('emqx1', server.port, { check })])]);
  await until(() => server.open() === 1, { what: 'the check' });
  await monitor.stop();
  await until(() => server.open() === 0, { what: 'the end of the check' });
  expect(changes).toEqual([]);
});

test('unknown servers', async () => {
  const { monitor } = watch([]);
  monitor.passive('emqx', 'gone', 'dial');
  expect(() => monitor.state('emqx', 'gone')).toThrow(expect.objectContaining({ code: 'UNKNOWN_SERVER' }));
});

describe('a reload', () => {
  test('a server that stays keeps its verdict, a new one is checked, one that is gone is not any more', async () => {
    await using one = await startMosquitto();
    await using two = await listen();
    const dead = await freePort();
    const tcp = (changes: object = {}) => checkConfig({ type: 'tcp' }, { interMs: 60_000, ...changes });
    const down = serverConfig('down', dead, { check: tcp() });
    const { monitor, line, changes } = watch([
      backendConfig('emqx', [down, serverConfig('gone', two.port, { check: tcp({ interMs: 50 }) })]),
    ]);
    await line(/down is DOWN/);
    const { sinceMs } = monitor.state('emqx', 'down');
    await until(() => two.received().length > 3, { what: 'some checks' });
    monitor.reconfigure([backendConfig('emqx', [{ ...down, weight: 7 }, serverConfig('new', one.port)])]);
    expect(monitor.state('emqx', 'down')).toMatchObject({ verdict: 'down', sinceMs });
    await until(isChecked(monitor, 'new'), { what: 'the first check of the new one' });
    expect(() => monitor.state('emqx', 'gone')).toThrow('there is no server emqx/gone');
    await until(() => two.open() === 0, { what: 'the end of its last check' });
    const before = two.received().length;
    monitor.checkNow('emqx', 'gone');
    // Other checks of the one that is down: it goes on at their pace, and its new address is looked at.
    monitor.reconfigure([backendConfig('emqx', [{ ...down, port: one.port, check: tcp({ interMs: 50, rise: 1 }) }])]);
    expect(monitor.state('emqx', 'down').verdict).toBe('down');
    await line(/down is UP/);
    expect([two.received().length, changes.at(-1)?.server]).toEqual([before, 'down']);
  });

  test('a server in maint is not checked; nor is one whose checks an operator has turned off', async () => {
    await using broker = await listen();
    const check = checkConfig({ type: 'tcp' }, { interMs: 30 });
    const { monitor } = watch([backendConfig('emqx', [serverConfig('a', broker.port, { check })])]);
    await until(() => broker.received().length > 2, { what: 'some checks' });
    monitor.setMaint('emqx', 'a', true);
    monitor.setEnabled('emqx', 'a', false);
    monitor.setMaint('emqx', 'a', false);
    await until(() => broker.open() === 0, { what: 'the end of the last check' });
    const before = broker.received().length;
    expect(monitor.state('emqx', 'a')).toMatchObject({ verdict: 'up', checked: true, enabled: false });
    monitor.setEnabled('emqx', 'a', true);
    await until(() => broker.received().length > before, { what: 'a check' });
  });
});
