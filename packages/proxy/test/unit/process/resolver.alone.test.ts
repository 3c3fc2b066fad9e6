import { lookup } from 'node:dns/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Resolver } from '../../../src/process/resolver.ts';

vi.mock('node:dns/promises', () => ({ lookup: vi.fn() }));

const EVERY_MS = 1000;
const asked = vi.mocked(
  lookup as (host: string, options: { all: true }) => Promise<{ address: string; family: number }[]>,
);
const resolvers: Resolver[] = [];

/** The answers to the next look-ups, in order; then the last one again and again. */
function answers(...list: (readonly string[] | Error)[]): void {
  asked.mockImplementation(async () => {
    const answer = list.length > 1 ? list.shift() : list[0];
    if (answer instanceof Error) throw answer;
    return (answer ?? []).map(address => ({ address, family: 4 }));
  });
}

function scene(...hosts: string[]) {
  const told: string[] = [];
  const resolver = new Resolver(hosts, EVERY_MS, (host, address, reason) => told.push(`${host} ${address ?? reason}`));
  resolvers.push(resolver);
  return { resolver, told };
}

const failure = (): Error => Object.assign(new Error('getaddrinfo ENOTFOUND broker'), { code: 'ENOTFOUND' });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  for (const resolver of resolvers.splice(0)) resolver.stop();
  vi.useRealTimers();
  asked.mockReset();
});

test.each(['192.0.2.1', '::1', '2001:db8::7'])('%s is its own answer, and is never looked up', async address => {
  const { resolver, told } = scene(address);
  expect(resolver.address(address)).toBe(address);
  await resolver.start();
  await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
  expect([asked.mock.calls.length, told]).toEqual([0, []]);
});

test('a name is known when start() resolves, and looked up again and again', async () => {
  answers(['192.0.2.1'], ['192.0.2.1'], ['192.0.2.2']);
  const { resolver, told } = scene('broker');
  expect(resolver.address('broker')).toBeNull();
  await resolver.start();
  expect(resolver.address('broker')).toBe('192.0.2.1');
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(resolver.address('broker')).toBe('192.0.2.2');
  expect(told).toEqual(['broker 192.0.2.1', 'broker 192.0.2.2']);
});

test('a name with several addresses keeps the one that is in use, in whatever order they come', async () => {
  answers(['192.0.2.1', '192.0.2.2'], ['192.0.2.2', '192.0.2.1'], ['192.0.2.3', '192.0.2.2']);
  const { resolver, told } = scene('broker');
  await resolver.start();
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(resolver.address('broker')).toBe('192.0.2.1');
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(told).toEqual(['broker 192.0.2.1', 'broker 192.0.2.3']);
});

describe('look-ups that fail', () => {
  test('a name that was resolved once keeps its address', async () => {
    answers(['192.0.2.1'], failure());
    const { resolver, told } = scene('broker');
    await resolver.start();
    await vi.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect(resolver.address('broker')).toBe('192.0.2.1');
    expect(told).toEqual(['broker 192.0.2.1']);
  });

  test('one that never was is told with its reason, and keeps nobody from starting', async () => {
    answers(failure(), ['192.0.2.1']);
    const { resolver, told } = scene('broker');
    await resolver.start();
    expect(told).toEqual(['broker ENOTFOUND']);
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(told).toEqual(['broker ENOTFOUND', 'broker 192.0.2.1']);
  });
});

test('a look-up that hangs is not joined by others: each of them would hold a thread', async () => {
  answers(['192.0.2.1']);
  const { resolver } = scene('broker', 'other');
  await resolver.start();
  asked.mockImplementation(host => (host === 'broker' ? new Promise(() => {}) : Promise.resolve([])));
  await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
  const times = (host: string): number => asked.mock.calls.filter(([one]) => one === host).length;
  expect([times('broker'), times('other')]).toEqual([2, 11]);
});

test('P8: a name server that does not answer holds the start up for 5 s; the name is known when the answer comes', async () => {
  let answer: (found: { address: string; family: number }[]) => void = () => {};
  asked.mockImplementation(host => {
    if (host === 'quick') return Promise.resolve([{ address: '192.0.2.1', family: 4 }]);
    return new Promise(resolve => (answer = resolve));
  });
  const { resolver, told } = scene('quick', 'late');
  let isStarted = false;
  const started = resolver.start().then(() => {
    isStarted = true;
  });
  await vi.advanceTimersByTimeAsync(4999);
  expect(isStarted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await started;
  expect(told).toEqual(['quick 192.0.2.1']);
  answer([{ address: '192.0.2.2', family: 4 }]);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['quick 192.0.2.1', 'late 192.0.2.2']);
  expect(resolver.address('late')).toBe('192.0.2.2');
});

test('after stop() nothing is asked and nothing is told, not even what was under way', async () => {
  let answer: (found: { address: string; family: number }[]) => void = () => {};
  asked.mockImplementation(() => new Promise(resolve => (answer = resolve)));
  const { resolver, told } = scene('broker');
  const started = resolver.start();
  resolver.stop();
  answer([{ address: '192.0.2.1', family: 4 }]);
  await started;
  await vi.advanceTimersByTimeAsync(5 * EVERY_MS);
  expect([asked.mock.calls.length, told]).toEqual([1, []]);
});

describe('other hosts', () => {
  test('new names are looked up before setHosts() resolves, and then at the new interval; those that stay keep their address', async () => {
    answers(['192.0.2.1'], ['192.0.2.2'], ['192.0.2.1']);
    const { resolver } = scene('old');
    await resolver.start();
    await resolver.setHosts(['old', 'new', '192.0.2.9'], 3 * EVERY_MS);
    expect(['old', 'new', '192.0.2.9'].map(host => resolver.address(host))).toEqual([
      '192.0.2.1',
      '192.0.2.2',
      '192.0.2.9',
    ]);
    expect(asked.mock.calls.map(([host]) => host)).toEqual(['old', 'new']);
    await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
    expect(asked).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(asked).toHaveBeenCalledTimes(4);
  });

  test('a name that is gone is forgotten, also while it is looked up', async () => {
    answers(['192.0.2.1']);
    const { resolver, told } = scene('gone');
    const starting = resolver.start();
    await resolver.setHosts([], EVERY_MS);
    await starting;
    await vi.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect([resolver.address('gone'), told, asked.mock.calls.length]).toEqual([null, [], 1]);
  });
});
