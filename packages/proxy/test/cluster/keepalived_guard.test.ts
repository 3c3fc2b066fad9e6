import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { until } from '../kit/condition.ts';
import { daemonsOf, type Host, type Pair, startPair } from '../kit/keepalived_pair.ts';
import type { Process } from '../kit/process.ts';

interface Running {
  readonly a: Process;
  /** What Limpet on a hears. */
  readonly heard: Process;
}

/** Both hosts run, both are ready, and a has the addresses. */
async function bothRun(pair: Pair): Promise<Running> {
  const heard = await pair.startLimpet('a', '0');
  await pair.startLimpet('b', '1');
  for (const host of ['a', 'b'] as const) pair.configure(host);
  const a = pair.startGuard('a');
  await holds(pair, 'a');
  pair.startGuard('b');
  pair.say('b', '0');
  await heard.waitForLine(/MASTER 250$/);
  return { a, heard };
}

async function holds(pair: Pair, host: Host): Promise<void> {
  await until(() => pair.held(host).length === 2, { what: `both addresses on ${host}` });
}

async function holdsNone(pair: Pair, host: Host): Promise<void> {
  await until(() => pair.held(host).length === 0, { what: `no address on ${host}` });
}

function said(heard: Process): string[] {
  return heard.lines.map(({ text }) => text).filter(text => text.startsWith('INSTANCE'));
}

test('keepalived killed with -9, all of it: its addresses go, and Limpet hears of it first', async () => {
  await using pair = await startPair();
  const { a, heard } = await bothRun(pair);
  const daemons = await until(() => daemonsOf(a).length === 2 && daemonsOf(a), { what: 'two processes of keepalived' });
  const before = said(heard).length;
  const atMs = performance.now();
  for (const pid of daemons.reverse()) process.kill(pid, 'SIGKILL');
  await holdsNone(pair, 'a');
  console.log(`the addresses were gone after ${Math.round(performance.now() - atMs)} ms`);
  const first = await heard.waitUntil('a word', () => said(heard)[before]);
  expect(first).toBe('INSTANCE "limpet" FAULT 0');
  await holds(pair, 'b');
  // Started again, it does not take them back.
  await heard.waitUntil('BACKUP after the new start', () => said(heard).slice(before).at(-1)?.endsWith('BACKUP 250'));
  expect([pair.held('a').length, pair.held('b').length]).toEqual([0, 2]);
});

test('the process that speaks VRRP killed alone, and frozen', async () => {
  await using pair = await startPair();
  const { a, heard } = await bothRun(pair);
  const vrrp = await until(() => daemonsOf(a)[1], { what: 'the process that speaks VRRP' });
  process.kill(vrrp, 'SIGSTOP');
  await holds(pair, 'b');
  // It is killed for it, and does not come to life with the addresses.
  await holdsNone(pair, 'a');
  await a.waitForLine(/is stopped \(SIGSTOP\)/);
  const next = await until(() => daemonsOf(a)[1], { what: 'keepalived again' });
  expect(next).not.toBe(vrrp);
  pair.say('b', '1');
  await holds(pair, 'a');
  pair.say('b', '0');
  process.kill(next, 'SIGKILL');
  await holds(pair, 'b');
  await holdsNone(pair, 'a');
  expect(said(heard).filter(text => text.endsWith('FAULT 0'))).toHaveLength(2);
});

test('readiness moves the addresses, and nothing moves them back', async () => {
  await using pair = await startPair();
  const { heard } = await bothRun(pair);
  pair.say('a', '1');
  await holds(pair, 'b');
  await holdsNone(pair, 'a');
  await heard.waitForLine(/FAULT 250$/);
  const count = said(heard).length;
  pair.say('a', '0');
  await heard.waitUntil('BACKUP', () => said(heard).length > count);
  expect(said(heard).at(-1)).toBe('INSTANCE "limpet" BACKUP 250');
  // Both are ready, and the other one goes.
  pair.say('b', '1');
  await holds(pair, 'a');
});

test('stopped, it tells Limpet before the addresses go; killed, it takes keepalived with it', async () => {
  await using pair = await startPair();
  const { a, heard } = await bothRun(pair);
  const before = said(heard).length;
  expect(await a.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(pair.held('a')).toEqual([]);
  await heard.waitUntil('two words', () => said(heard).length >= before + 2);
  expect(said(heard).slice(before, before + 2)).toEqual(['INSTANCE "limpet" FAULT 0', 'INSTANCE "limpet" STOP 250']);
  await holds(pair, 'b');
  const again = pair.startGuard('a');
  pair.say('b', '1');
  await holds(pair, 'a');
  pair.say('b', '0');
  await again.kill('SIGKILL');
  await holds(pair, 'b');
  await holdsNone(pair, 'a');
});

test('without Limpet keepalived is not started, and what was left behind goes', async () => {
  await using pair = await startPair();
  pair.configure('a');
  pair.leaveBehind('a');
  expect(pair.held('a')).toHaveLength(2);
  const guard = pair.startGuard('a');
  await guard.waitForLine(/waiting for Limpet, which makes \S+track and \S+fifo/);
  await holdsNone(pair, 'a');
  expect(daemonsOf(guard)).toEqual([]);
  await pair.startLimpet('a', '1');
  await until(() => daemonsOf(guard).length === 2, { what: 'keepalived' });
  expect(statSync(pair.file('a', 'track')).mode & 0o777).toBe(0o644);
  expect(pair.held('a')).toEqual([]);
});

test('what systemd runs after the service takes the addresses away', async () => {
  await using pair = await startPair();
  pair.configure('a');
  const heard = await pair.startLimpet('a', '0');
  pair.leaveBehind('a');
  expect(await pair.startGuard('a', 'release').waitForExit()).toEqual({ code: 0, signal: null });
  expect(pair.held('a')).toEqual([]);
  await heard.waitForLine(/^INSTANCE "limpet" FAULT 0$/);
});

test('a file that keepalived does not understand is not run: without its track file a pair would be none', async () => {
  await using pair = await startPair();
  await pair.startLimpet('a', '0');
  pair.configure('a', conf => conf.replace('\n  weight 0', '\n  wait 0'));
  const guard = pair.startGuard('a');
  await guard.waitForLine(/keepalived finds errors in /);
  await guard.waitForLine(/started again in 1 s/);
  expect(pair.held('a')).toEqual([]);
});

test('another file at the next start of keepalived: its addresses are those that go', async () => {
  await using pair = await startPair();
  await pair.startLimpet('a', '0');
  pair.configure('a', conf => conf.replaceAll('fd77::100/64', 'fd77::101/64'));
  const guard = pair.startGuard('a');
  await until(() => pair.held('a').length === 1, { what: 'the address of IPv4 on a' });
  // As a user who has made it anew, and has not restarted the service.
  pair.configure('a');
  for (const pid of daemonsOf(guard).reverse()) process.kill(pid, 'SIGKILL');
  await holdsNone(pair, 'a');
  await holds(pair, 'a');
  for (const pid of daemonsOf(guard).reverse()) process.kill(pid, 'SIGKILL');
  // Before the next start, at which keepalived would take them away itself.
  await guard.waitForLine(/started again in 2 s/);
  expect(pair.held('a')).toEqual([]);
});
