/** How the listeners of a worker ask for their handles: the primary is the test, which answers or does not. */
import { once } from 'node:events';
import * as net from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ListenHandle } from '../../../../src/listen/listener.ts';
import { Listeners, type ListenersEvents } from '../../../../src/process/worker/listeners.ts';
import type { TlsContexts } from '../../../../src/tls/contexts.ts';
import { entry } from '../../listen/entry.ts';
import { Played, playedHandle } from '../../native/played.ts';

const REF = { index: 3, frontend: 'mqtt', place: 0, isLent: false };
const LENT = { ...REF, isLent: true };
const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Listeners, and when they asked for the handle, in seconds since they began. */
function begin(isNative: boolean, over: Partial<ListenersEvents> = {}) {
  const asked: number[] = [];
  const startMs = performance.now();
  const events: ListenersEvents = {
    accepted: () => true,
    acceptedAnyway() {},
    room: () => 1,
    isFull: () => false,
    starved() {},
    wantsHandle: () => asked.push(Math.round(performance.now() - startMs) / 1000),
    ...over,
  };
  const listeners = new Listeners(events, isNative ? new Played().engine : null);
  listeners.want([REF]);
  return { listeners, asked };
}

describe.each([
  ['node', false],
  ['native', true],
])('%s relay', (_, isNative) => {
  test('a handle that does not come is asked for again, the first one too, and less and less often', () => {
    const { listeners, asked } = begin(isNative);
    listeners.set(REF, entry());
    vi.advanceTimersByTime(45_000);
    expect(asked).toEqual([0, 2, 6, 14, 24, 34, 44]);
    listeners.close();
  });

  test.each<readonly [what: string, end: (listeners: Listeners) => void]>([
    ['is closed', listeners => listeners.close()],
    ['is not wanted any more', listeners => listeners.want([])],
    ['is paused', listeners => listeners.pause()],
    ['is held', listeners => listeners.hold(true)],
  ])('one that %s is not asked for again', (_what, end) => {
    const { listeners, asked } = begin(isNative);
    listeners.set(REF, entry());
    vi.advanceTimersByTime(3000);
    end(listeners);
    vi.advanceTimersByTime(HOUR_MS);
    expect(asked).toEqual([0, 2]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('one that goes on is asked for at once, and however often that was: once in each interval', () => {
    const { listeners, asked } = begin(isNative);
    listeners.set(REF, entry());
    vi.advanceTimersByTime(7000);
    for (let round = 0; round < 3; round += 1) {
      listeners.pause();
      listeners.resume();
    }
    vi.advanceTimersByTime(7000);
    expect(asked).toEqual([0, 2, 6, 7, 7, 7, 9, 13]);
    expect(vi.getTimerCount()).toBe(1);
    listeners.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('one that is lent to a full worker is asked for when there is room', () => {
    let isFull = true;
    const { listeners, asked } = begin(isNative, { isFull: () => isFull });
    listeners.set(LENT, entry());
    vi.advanceTimersByTime(5000);
    expect(asked).toEqual([]);
    isFull = false;
    listeners.resume();
    vi.advanceTimersByTime(3000);
    expect(asked).toEqual([5, 7]);
    listeners.close();
  });
});

test('one that has come is not asked for again', async () => {
  const { listeners, asked } = begin(true);
  listeners.set(REF, entry());
  vi.advanceTimersByTime(2500);
  listeners.listen(REF.index, playedHandle());
  await listeners.opened();
  vi.advanceTimersByTime(HOUR_MS);
  expect(asked).toEqual([0, 2]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a reload that gives it TLS asks anew, and only for the new listener', () => {
  const { listeners, asked } = begin(true);
  listeners.set(REF, entry());
  vi.advanceTimersByTime(1000);
  listeners.set(REF, entry({ tls: {} as TlsContexts }));
  vi.advanceTimersByTime(2500);
  expect(asked).toEqual([0, 1, 3]);
  listeners.close();
});

/** A handle of Node's own, bound to a port of this host; another socket may listen there, which listen() finds out. */
function handleOn(port: number): ListenHandle {
  type Create = (address: string, port: number, family: 4) => ListenHandle;
  return (net as unknown as { _createServerHandle: Create })._createServerHandle('127.0.0.1', port, 4);
}

test('one that is lent and cannot listen, however often, ends nothing and is tried again', async () => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as net.AddressInfo;
  const starved: string[] = [];
  let told = (): void => {};
  const { listeners, asked } = begin(false, {
    starved: code => {
      starved.push(code);
      told();
    },
  });
  listeners.set(LENT, entry());
  for (let round = 0; round < 3; round += 1) {
    const failed = new Promise<void>(resolve => {
      told = resolve;
    });
    listeners.listen(LENT.index, handleOn(port));
    await failed;
    listeners.pause();
    listeners.resume();
  }
  expect(starved).toEqual(['EADDRINUSE', 'EADDRINUSE', 'EADDRINUSE']);
  expect(asked).toEqual([0, 0, 0, 0]);
  listeners.listen(LENT.index, handleOn(0));
  await new Promise(setImmediate);
  vi.advanceTimersByTime(HOUR_MS);
  expect(asked).toHaveLength(4);
  listeners.close();
  other.close();
});
