import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { Notifier, type NotifierOptions } from '../../../src/process/notify.ts';
import { until } from '../../kit/condition.ts';
import { makeDirectory } from '../../kit/directory.ts';
import { LinesLog } from '../../kit/lines_log.ts';
import type { Process } from '../../kit/process.ts';
import { startManager, told } from '../../kit/service_manager.ts';

async function heard(manager: Process, count: number): Promise<readonly string[]> {
  const isThere = (): boolean => told(manager).length >= count;
  await until(isThere, { what: `${count} messages`, seen: () => manager.tail() });
  return told(manager);
}

function notifier(socket: string, changes: Partial<NotifierOptions> = {}): { notifier: Notifier; log: LinesLog } {
  const log = new LinesLog();
  const manager = { socket, watchdogMs: null };
  return { notifier: new Notifier({ manager, log, status: () => '3 sessions', ...changes }), log };
}

test('start, reload, hand-over and stop are told, in their order', async () => {
  await using folder = await makeDirectory('notify');
  await using manager = await startManager(folder.file('notify'));
  const { notifier: one, log } = notifier(folder.file('notify'));
  one.ready();
  one.reloading();
  one.ready();
  one.mainPid(4711);
  one.stopping(33_000);
  expect(await heard(manager, 5)).toEqual([
    'READY=1 | STATUS=3 sessions',
    'RELOADING=1 | MONOTONIC_USEC=… | STATUS=reloading',
    'READY=1 | STATUS=3 sessions',
    'MAINPID=4711',
    'STOPPING=1 | EXTEND_TIMEOUT_USEC=33000000 | STATUS=stopping: no new clients',
  ]);
  await one.close();
  expect(log.lines).toEqual([]);
});

test('the time of a reload is that of the monotonic clock', async () => {
  await using folder = await makeDirectory('notify');
  await using manager = await startManager(folder.file('notify'));
  const { notifier: one } = notifier(folder.file('notify'));
  const before = process.hrtime.bigint() / 1000n;
  one.reloading();
  await one.close();
  const [, told] = await manager.waitForLine(/MONOTONIC_USEC=([0-9]+)/);
  expect(BigInt(told ?? 0)).toBeGreaterThanOrEqual(before);
  expect(BigInt(told ?? 0)).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n);
});

test('the watchdog hears of it twice in its time, and of a new status in the same message', async () => {
  await using folder = await makeDirectory('notify');
  await using manager = await startManager(folder.file('notify'));
  let sessions = 0;
  const status = (): string => {
    sessions = Math.min(sessions + 1, 3);
    return `${sessions} sessions`;
  };
  const socket = folder.file('notify');
  const { notifier: one } = notifier(socket, { manager: { socket, watchdogMs: 400 }, status });
  const startMs = performance.now();
  one.ready();
  expect((await heard(manager, 5)).slice(0, 5)).toEqual([
    'READY=1 | STATUS=1 sessions',
    'WATCHDOG=1 | STATUS=2 sessions',
    'WATCHDOG=1 | STATUS=3 sessions',
    'WATCHDOG=1',
    'WATCHDOG=1',
  ]);
  expect(performance.now() - startMs).toBeGreaterThan(790);
  await one.close();
});

test('a status is one line, and not long', async () => {
  await using folder = await makeDirectory('notify');
  await using manager = await startManager(folder.file('notify'));
  const { notifier: one } = notifier(folder.file('notify'), { status: () => `a\nREADY=0\u2028b${'x'.repeat(1000)}` });
  one.ready();
  await one.close();
  expect(told(manager)).toEqual([`READY=1 | STATUS=a READY=0 b${'x'.repeat(189)}`]);
});

test('an abstract socket', async () => {
  const name = `@limpet-${randomUUID()}`;
  await using manager = await startManager(name);
  const { notifier: one } = notifier(name);
  one.ready();
  await one.close();
  expect(told(manager)).toEqual(['READY=1 | STATUS=3 sessions']);
});

test('what cannot be told is logged once, and stops nothing', async () => {
  await using folder = await makeDirectory('notify');
  const { notifier: one, log } = notifier(folder.file('nobody'));
  one.ready();
  one.reloading();
  one.ready();
  await one.close();
  expect(log.lines).toHaveLength(1);
  expect(log.lines[0]).toMatch(/^warn notify_failed .*No such file or directory/);
});

test('a manager that reads nothing holds up the end for 2 s at most; what waited is dropped', async () => {
  await using folder = await makeDirectory('notify');
  await using manager = await startManager(folder.file('notify'));
  const { notifier: one, log } = notifier(folder.file('notify'));
  manager.freeze();
  one.ready();
  one.mainPid(1);
  const startMs = performance.now();
  await one.close();
  expect(performance.now() - startMs).toBeLessThan(4000);
  expect(log.lines).toEqual([expect.stringMatching(/^warn notify_failed .*no answer in time/)]);
  one.ready();
  manager.thaw();
  expect(await heard(manager, 1)).toEqual(['READY=1 | STATUS=3 sessions']);
});

test('of many messages at once 16 wait', async () => {
  await using folder = await makeDirectory('notify');
  await using manager = await startManager(folder.file('notify'));
  const { notifier: one } = notifier(folder.file('notify'));
  for (let pid = 1; pid <= 100; pid += 1) one.mainPid(pid);
  expect(await heard(manager, 17)).toEqual(Array.from({ length: 17 }, (_, at) => `MAINPID=${at + 1}`));
  await one.close();
  expect(told(manager)).toHaveLength(17);
});

test('nobody asked: nothing is started', async () => {
  const { notifier: one, log } = notifier('', { manager: null });
  one.ready();
  one.stopping(1);
  await one.close();
  expect(log.lines).toEqual([]);
});
