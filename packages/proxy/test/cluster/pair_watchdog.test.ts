import { readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { Heirs } from '../kit/heirs.ts';
import type { Limpet } from '../kit/limpet.ts';
import { type Mover, makeMover, readyz, startPaired, watchdogOf, workersOf } from '../kit/pair.ts';
import { cpuMs, isAlive, residentBytes } from '../kit/proc.ts';

/** It is 20 ms; this machine is shared, and nobody is held to it here: the numbers are printed. */
const GENEROUS_MS = 1000;
const BUSY_MS = 2000;
/** Longer than one that does not answer is waited for. */
const FROZEN_MS = 4000;
/** Long enough for a beat that is missing to be missed, and for a look of the primary at the file. */
const SETTLED_MS = 1500;

let mover: Mover;
let broker: ScriptedBroker;
beforeEach(async () => {
  [mover, broker] = await Promise.all([makeMover(), startBroker()]);
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
  await mover[Symbol.asyncDispose]();
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<Limpet> {
  const backends = { brokers: { servers: { b1: `127.0.0.1:${broker.port}` }, check: false } };
  const limpet = await startPaired(mover, { backends }, { env });
  // Of its start, as far as tests go.
  await watchdogOf(limpet.process.pid);
  return limpet;
}

/** Sends it to all of them, and answers how long it took until the file said 1. */
async function struck(what: string, pids: readonly number[], signal: NodeJS.Signals): Promise<void> {
  for (const pid of pids) process.kill(pid, signal);
  const tookMs = await mover.turned('1', GENEROUS_MS);
  console.info(`${what}: 1 in the file after ${tookMs.toFixed(1)} ms`);
}

/** What the file says all the while, each word once. */
async function wordsFor(ms: number): Promise<string[]> {
  const words = new Set<string>();
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    words.add(mover.track());
    await delay(1);
  }
  return [...words];
}

describe('the watchdog', () => {
  test('the primary is killed', async () => {
    await using limpet = await start();
    const watchdog = await watchdogOf(limpet.process.pid);
    await struck('SIGKILL of the primary', [limpet.process.pid], 'SIGKILL');
    await limpet.process.waitForExit();
    expect(mover.track()).toBe('1');
    await limpetGone(watchdog);
  });

  test('the primary is frozen, and goes on', async () => {
    await using limpet = await start();
    await struck('SIGSTOP of the primary', [limpet.process.pid], 'SIGSTOP');
    expect(await wordsFor(300)).toEqual(['1']);
    process.kill(limpet.process.pid, 'SIGCONT');
    await mover.turned('0');
    expect(await wordsFor(SETTLED_MS)).toEqual(['0']);
    const told = limpet.events(({ event }) => event === 'readiness');
    expect(told.map(({ ready }) => ready)).toEqual([true, false, true]);
  });

  test('all workers are frozen, and one goes on', async () => {
    await using limpet = await start();
    const workers = await workersOf(limpet.process.pid);
    await struck('SIGSTOP of all workers', workers, 'SIGSTOP');
    // The primary runs, and must not say that all is well.
    expect(await wordsFor(SETTLED_MS)).toEqual(['1']);
    const [first = 0, ...others] = workers;
    process.kill(first, 'SIGCONT');
    await mover.turned('0');
    for (const pid of others) process.kill(pid, 'SIGCONT');
  });

  test('one worker of two is frozen: that is no reason to move', async () => {
    await using limpet = await start();
    const [first = 0] = await workersOf(limpet.process.pid);
    process.kill(first, 'SIGSTOP');
    expect(await wordsFor(SETTLED_MS)).toEqual(['0']);
    process.kill(first, 'SIGCONT');
  });

  test('all of it is frozen', async () => {
    await using limpet = await start();
    const all = [limpet.process.pid, ...(await workersOf(limpet.process.pid))];
    await struck('SIGSTOP of primary and workers', all, 'SIGSTOP');
    for (const pid of all) process.kill(pid, 'SIGCONT');
    await mover.turned('0');
  });

  const held = { NODE_OPTIONS: `--import ${new URL('../kit/busy.mjs', import.meta.url)}` };

  test('a primary that is busy for 2 s is not frozen', async () => {
    await using limpet = await start(held);
    process.kill(limpet.process.pid, 'SIGWINCH');
    const startMs = performance.now();
    const answered = readyz(limpet).then(() => performance.now() - startMs);
    expect(await wordsFor(BUSY_MS + 500)).toEqual(['0']);
    // It was busy: nobody was answered.
    expect(await answered).toBeGreaterThan(BUSY_MS / 2);
  });

  test('a primary that neither speaks nor runs is', async () => {
    await using limpet = await start(held);
    await struck('a primary that waits for ever', [limpet.process.pid], 'SIGURG');
    await mover.turned('0');
  });

  test('one that dies is started again, and the new one does its work', async () => {
    await using limpet = await start();
    const { pid } = limpet.process;
    const first = await watchdogOf(pid);
    process.kill(first, 'SIGKILL');
    const told = await limpet.waitForEvent(({ event }) => event === 'watchdog_died', 'its word');
    expect(told).toMatchObject({ level: 'error', how: 'SIGKILL' });
    await watchdogOf(pid, first);
    expect(await wordsFor(SETTLED_MS)).toEqual(['0']);
    await struck('SIGKILL of a primary with its second watchdog', [pid], 'SIGKILL');
  });

  test('one that is frozen itself is replaced, and the new one does its work', async () => {
    await using limpet = await start();
    const { pid } = limpet.process;
    const first = await watchdogOf(pid);
    process.kill(first, 'SIGSTOP');
    const told = await limpet.waitForEvent(({ event }) => event === 'watchdog_died', 'its word');
    expect(told).toMatchObject({ level: 'error', how: 'no answer for 3 s' });
    expect(isAlive(first)).toBe(false);
    await watchdogOf(pid, first);
    // One that is well is not replaced.
    expect(await wordsFor(FROZEN_MS)).toEqual(['0']);
    expect(limpet.events(({ event }) => event === 'watchdog_died')).toHaveLength(1);
    await struck('SIGKILL of a primary whose first watchdog was frozen', [pid], 'SIGKILL');
  });

  test('it is small, in a session of its own, and has no secret', async () => {
    await using limpet = await start({ SECRET_OF_MINE: 'hush' });
    const watchdog = await watchdogOf(limpet.process.pid);
    const stat = readFileSync(`/proc/${watchdog}/stat`, 'utf8');
    expect(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])).toBe(watchdog);
    expect(readFileSync(`/proc/${watchdog}/environ`, 'utf8')).not.toContain('hush');
    const beforeMs = cpuMs(watchdog);
    const startMs = performance.now();
    await delay(5000);
    const share = (cpuMs(watchdog) - beforeMs) / (performance.now() - startMs);
    const mib = Math.round(residentBytes(watchdog) / 1024 ** 2);
    console.info(`the watchdog uses ${(share * 100).toFixed(1)} % of a core and ${mib} MiB, most of it shared`);
    // About 1 % where it is alone; this machine is shared.
    expect(share).toBeLessThan(0.1);
  });
});

test('an upgrade keeps the file at 0, and afterwards the new process has it', async () => {
  await using limpet = await start();
  await using heirs = new Heirs(limpet);
  const { pid: before } = limpet.process;
  const inode = statSync(mover.trackFile).ino;
  const words = new Set<string>();
  const watching = setInterval(() => words.add(mover.track()), 1);
  try {
    await heirs.upgrade();
    await limpetGone(before);
    await delay(SETTLED_MS);
  } finally {
    clearInterval(watching);
  }
  expect([...words]).toEqual(['0']);
  expect(statSync(mover.trackFile).ino).toBe(inode);
  mover.say('INSTANCE "limpet" MASTER 200');
  await limpet.waitForEvent(({ event, role, why }) => event === 'role' && role === 'active' && why !== '', 'its role');
  await struck('SIGKILL of the new process', [heirs.pid], 'SIGKILL');
});

/** A process is gone, and a zombie counts as that. */
async function limpetGone(pid: number): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (isAlive(pid)) {
    if (performance.now() > endMs) throw new Error(`process ${pid} lives on`);
    await delay(10);
  }
}
