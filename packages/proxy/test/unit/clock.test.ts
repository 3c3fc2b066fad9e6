import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TimerWheel } from '../../src/clock.ts';

const TICK_MS = 20;
/** Once round the wheel: some 20 s. */
const ROUND_MS = 1024 * TICK_MS;

/** An event loop in the test's hand: the clock, the wheel's sleep, and what waits for the end of the turn. */
let nowMs = 0;
let sleep: { readonly wakeUp: () => void; readonly untilMs: number } | null = null;
let immediates: (() => void)[] = [];

/** The process runs again after so long; `io` is what its sockets have for it. */
function turn(afterMs: number, io: () => void = () => {}): void {
  nowMs += afterMs;
  if (sleep !== null && sleep.untilMs <= nowMs) {
    const { wakeUp } = sleep;
    sleep = null;
    wakeUp();
  }
  io();
  for (const immediate of immediates.splice(0)) immediate();
}

beforeEach(() => {
  nowMs = 1234.567;
  immediates = [];
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  sleep = null;
  vi.stubGlobal('setTimeout', (wakeUp: () => void, delayMs: number) => {
    sleep = { wakeUp, untilMs: nowMs + Math.max(1, delayMs) };
    return { unref() {} };
  });
  vi.stubGlobal('clearTimeout', () => {
    sleep = null;
  });
  vi.stubGlobal('setImmediate', (listener: () => void) => {
    immediates.push(listener);
    return listener;
  });
  vi.stubGlobal('clearImmediate', (listener: () => void) => {
    immediates = immediates.filter(one => one !== listener);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

interface Planned {
  readonly dueMs: number;
  readonly cancel: () => void;
  cancelled: boolean;
  readonly firedAtMs: number[];
}

function plan(wheel: TimerWheel, delayMs: number): Planned {
  const firedAtMs: number[] = [];
  const timer = wheel.after(delayMs, () => firedAtMs.push(nowMs));
  // What is over already is due now.
  return { dueMs: nowMs + Math.max(0, delayMs), cancel: () => timer.cancel(), cancelled: false, firedAtMs };
}

describe('TimerWheel', () => {
  const delay = fc.oneof(
    fc.integer({ min: -50, max: 200 }),
    fc.double({ min: 0, max: 100, noNaN: true }),
    fc.integer({ min: ROUND_MS - 50, max: 3 * ROUND_MS }),
    fc.constantFrom(TICK_MS, ROUND_MS - TICK_MS, ROUND_MS, ROUND_MS + TICK_MS, 240_000),
  );
  const pause = fc.oneof(
    { weight: 8, arbitrary: fc.double({ min: 1, max: 60, noNaN: true }) },
    { weight: 2, arbitrary: fc.integer({ min: 100, max: 5000 }) },
    { weight: 1, arbitrary: fc.integer({ min: ROUND_MS, max: 20 * ROUND_MS }) },
  );
  const step = fc.oneof(
    fc.record({ kind: fc.constant('after' as const), ms: delay }),
    fc.record({ kind: fc.constant('turn' as const), ms: pause }),
    fc.record({ kind: fc.constant('cancel' as const), ms: fc.nat() }),
  );

  test('a deadline never fires early, never twice, never when cancelled, and within two ticks of its time', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), steps => {
        const wheel = new TimerWheel();
        const timers: Planned[] = [];
        const check = (): void => {
          for (const { dueMs, firedAtMs, cancelled } of timers) {
            expect(firedAtMs.length).toBeLessThanOrEqual(1);
            const [at] = firedAtMs;
            if (at !== undefined) expect(at).toBeGreaterThanOrEqual(dueMs);
            else if (!cancelled) expect(nowMs - dueMs).toBeLessThan(2 * TICK_MS);
          }
        };
        for (const { kind, ms } of steps) {
          if (kind === 'after') timers.push(plan(wheel, ms));
          else if (kind === 'cancel') cancelOne(timers, ms);
          else {
            turn(ms);
            check();
          }
        }
        for (let left = 240_000; left >= 0; left -= 5000) turn(5000);
        check();
        expect(timers.every(({ firedAtMs, cancelled }) => cancelled || firedAtMs.length === 1)).toBe(true);
        wheel.close();
      }),
      { numRuns: 200 },
    );
  });

  function cancelOne(timers: readonly Planned[], which: number): void {
    const timer = timers[which % Math.max(1, timers.length)];
    if (timer === undefined || timer.firedAtMs.length > 0) return;
    timer.cancel();
    timer.cancelled = true;
  }

  test('after a long pause of the process its sockets are looked at before any deadline', () => {
    const wheel = new TimerWheel();
    let heard = false;
    const seen: boolean[] = [];
    wheel.after(1500, () => seen.push(heard));
    turn(60_000, () => {
      heard = true;
    });
    expect(seen).toEqual([true]);
  });

  test('sleeps through ticks that nothing is due at, 120 ms at most, and wakes for what is set meanwhile', () => {
    const wheel = new TimerWheel();
    const left = (): number => Math.round((sleep?.untilMs ?? 0) - nowMs);
    expect(left()).toBe(120);
    const fired: number[] = [];
    wheel.after(50, () => fired.push(nowMs));
    expect(left()).toBe(60);
    wheel.after(5000, () => expect.unreachable());
    expect(left()).toBe(60);
    turn(left());
    expect(fired).toEqual([nowMs]);
    expect(left()).toBe(120);
    wheel.close();
    expect(sleep).toBe(null);
  });

  test('tells how long the event loop was kept, once', () => {
    const wheel = new TimerWheel();
    turn(300);
    expect(wheel.takeDelayMs()).toBe(0);
    turn(120 + 240);
    turn(120);
    expect(Math.round(wheel.takeDelayMs())).toBe(240);
    turn(120);
    expect(Math.round(wheel.takeDelayMs())).toBe(0);
  });

  test('a deadline set by a deadline is not lost, not even one that is over already', () => {
    const wheel = new TimerWheel();
    const fired: string[] = [];
    wheel.after(50, () => {
      fired.push('first');
      wheel.after(0, () => fired.push('second'));
      wheel.after(-1000, () => fired.push('third'));
    });
    turn(5000);
    turn(TICK_MS);
    turn(TICK_MS);
    expect(fired.toSorted()).toEqual(['first', 'second', 'third']);
  });

  test('a cancelled timer is not pending, and to cancel it twice, or from within, does nothing', () => {
    const wheel = new TimerWheel();
    const timer = wheel.after(10, () => expect.unreachable());
    expect(timer.pending).toBe(true);
    timer.cancel();
    timer.cancel();
    expect(timer.pending).toBe(false);
    const other = wheel.after(30, () => expect.unreachable());
    wheel.after(10, () => other.cancel());
    turn(1000);
    expect(other.pending).toBe(false);
  });

  test('closed, nothing fires any more', () => {
    const wheel = new TimerWheel();
    wheel.after(10, () => expect.unreachable());
    turn(5000, () => wheel.close());
    turn(5000);
    wheel.after(0, () => expect.unreachable());
    turn(5000);
    const other = new TimerWheel();
    other.after(10, () => other.close());
    other.after(500, () => expect.unreachable());
    turn(100);
    turn(5000);
  });
});
