import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pacer, type PaceVerdict, type PaceWait } from '../../../src/gate/pacer.ts';
import { StillClock } from './clock.ts';

interface Told {
  readonly who: number;
  readonly verdict: PaceVerdict;
  readonly atMs: number;
}

type Step =
  | { readonly does: 'ask'; readonly times: number }
  | { readonly does: 'cancel'; readonly who: number }
  | { readonly does: 'wait'; readonly ms: number };

/** A pacer, and what its clients are told. */
class Watched {
  readonly clock: StillClock;
  readonly pacer: Pacer;
  readonly told: Told[] = [];
  readonly askedAtMs: number[] = [];
  readonly places: (PaceWait | null)[] = [];

  constructor(limit: number, queue: number, queueTimeoutMs: number, lateMs: () => number = () => 0) {
    this.clock = new StillClock(1000, lateMs);
    this.pacer = new Pacer({ limit, queue, queueTimeoutMs }, this.clock);
  }

  ask(): number {
    const who = this.places.length;
    this.askedAtMs.push(this.clock.now());
    this.places.push(null);
    this.places[who] = this.pacer.ask(verdict => this.told.push({ who, verdict, atMs: this.clock.now() }));
    return who;
  }

  cancel(who: number): void {
    const place = this.places[who];
    if (place) this.pacer.cancel(place);
  }

  went(): Told[] {
    return this.told.filter(({ verdict }) => verdict === 'go');
  }
}

describe('a pace', () => {
  test('a storm goes at its limit, evenly, in the order of its coming', () => {
    const watched = new Watched(500, 5000, 30_000);
    for (let who = 0; who < 5000; who += 1) watched.ask();
    expect(watched.went().length).toBe(10);
    watched.clock.advance(9980);
    const went = watched.went();
    expect(went.map(({ who }) => who)).toEqual(Array.from({ length: 5000 }, (_, who) => who));
    for (let fromMs = 1000; fromMs < 10_900; fromMs += 50) {
      const inWindow = went.filter(({ atMs }) => atMs > fromMs && atMs <= fromMs + 100).length;
      expect(inWindow).toBeGreaterThanOrEqual(49);
      expect(inWindow).toBeLessThanOrEqual(60);
    }
    expect(watched.pacer.waiting).toBe(0);
  });

  test('whoever waits too long is told so in time, and those behind move up', () => {
    const watched = new Watched(1, 10, 1500);
    for (let who = 0; who < 5; who += 1) watched.ask();
    watched.clock.advance(1499);
    expect(watched.told.map(({ who, verdict }) => [who, verdict])).toEqual([
      [0, 'go'],
      [1, 'go'],
    ]);
    watched.clock.advance(1);
    expect(watched.told.slice(2).map(({ verdict, atMs }) => [verdict, atMs])).toEqual(
      Array(3).fill(['queue_timeout', 2500]),
    );
    watched.clock.advance(10_000);
    expect(watched.clock.timers).toBe(0);
  });

  test('a queue that is full says so at once; a place that is given up is free at once', () => {
    const watched = new Watched(1, 2, 60_000);
    for (let who = 0; who < 4; who += 1) watched.ask();
    expect(watched.told.map(({ who, verdict }) => [who, verdict])).toEqual([
      [0, 'go'],
      [3, 'queue_full'],
    ]);
    watched.cancel(1);
    watched.cancel(1);
    expect(watched.pacer.waiting).toBe(1);
    watched.ask();
    expect(watched.pacer.waiting).toBe(2);
    watched.clock.advance(3000);
    expect(watched.went().map(({ who }) => who)).toEqual([0, 2, 4]);
    watched.cancel(2);
    expect(watched.pacer.waiting).toBe(0);
  });

  test('a queue of nobody refuses whoever cannot go now', () => {
    const watched = new Watched(1, 0, 60_000);
    expect([watched.ask(), watched.ask()]).toEqual([0, 1]);
    expect(watched.told.map(({ verdict }) => verdict)).toEqual(['go', 'queue_full']);
  });

  test('a client that comes while the timer is late does not overtake those who wait', () => {
    const watched = new Watched(100, 10, 60_000, () => 500);
    for (let who = 0; who < 4; who += 1) watched.ask();
    watched.clock.advance(100);
    watched.ask();
    expect(watched.told.map(({ who, verdict }) => [who, verdict])).toEqual([
      [0, 'go'],
      [1, 'go'],
      [2, 'go'],
      [3, 'go'],
    ]);
  });

  test('timers that are late do not slow it down', () => {
    const watched = new Watched(1000, 10_000, 60_000, () => 8);
    for (let who = 0; who < 10_000; who += 1) watched.ask();
    watched.clock.advance(5000);
    expect(watched.went().length).toBeGreaterThanOrEqual(4990);
    expect(watched.went().length).toBeLessThanOrEqual(5020);
  });

  test('somebody who asks again when told does not disturb it', () => {
    const clock = new StillClock();
    const pacer = new Pacer({ limit: 50, queue: 3, queueTimeoutMs: 1000 }, clock);
    const verdicts: PaceVerdict[] = [];
    const again = (left: number) => (verdict: PaceVerdict) => {
      verdicts.push(verdict);
      if (left > 0) pacer.ask(again(left - 1));
    };
    pacer.ask(again(5));
    // A turn may come 2 ms early, for timers are late.
    clock.advance(97);
    expect(verdicts).toEqual(Array(5).fill('go'));
    clock.advance(1);
    expect(verdicts).toEqual(Array(6).fill('go'));
  });

  test('with the process’s own clock', async () => {
    const pacer = new Pacer({ limit: 200, queue: 100, queueTimeoutMs: 5000 });
    const startMs = performance.now();
    const verdicts = await Promise.all(Array.from({ length: 44 }, () => new Promise(tell => pacer.ask(tell))));
    expect(new Set(verdicts)).toEqual(new Set(['go']));
    // Four go at once, then one every 5 ms.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(199);
    expect(performance.now() - startMs).toBeLessThan(1500);
  });

  test('with the process’s own clock, whoever waits too long is told so', async () => {
    const pacer = new Pacer({ limit: 0.1, queue: 100, queueTimeoutMs: 40 });
    const startMs = performance.now();
    const verdicts = await Promise.all(Array.from({ length: 3 }, () => new Promise(tell => pacer.ask(tell))));
    expect(verdicts).toEqual(['go', 'queue_timeout', 'queue_timeout']);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(40);
  });

  test('one timer, however many wait', () => {
    const watched = new Watched(10, 1000, 5000);
    for (let who = 0; who < 1000; who += 1) {
      watched.ask();
      watched.clock.advance(1);
      expect(watched.clock.timers).toBeLessThanOrEqual(1);
    }
  });

  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('ask' as const), times: fc.integer({ min: 1, max: 12 }) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('cancel' as const), who: fc.nat(200) }) },
    { weight: 4, arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.nat(400) }) },
  );
  const pace = fc.record({
    limit: fc.integer({ min: 1, max: 400 }),
    queue: fc.nat(30),
    queueTimeoutMs: fc.integer({ min: 1, max: 900 }),
    lateMs: fc.nat(5),
  });

  test('whatever happens: in no window more than the limit, nobody overtakes, nobody waits too long, one verdict each', () => {
    fc.assert(
      fc.property(pace, fc.array(step, { maxLength: 80 }), ({ limit, queue, queueTimeoutMs, lateMs }, steps) => {
        const watched = new Watched(limit, queue, queueTimeoutMs, () => lateMs);
        const cancelled = new Set<number>();
        for (const one of steps) {
          perform(one, watched, cancelled);
          expect(watched.pacer.waiting).toBeLessThanOrEqual(queue);
        }
        watched.clock.advance(queueTimeoutMs + lateMs);
        expect(watched.pacer.waiting).toBe(0);
        const heard = watched.told.map(({ who }) => who).sort((a, b) => a - b);
        expect(heard).toEqual(watched.places.map((_, who) => who).filter(who => !cancelled.has(who)));
        for (const told of watched.told) {
          const waitedMs = told.atMs - (watched.askedAtMs[told.who] ?? 0);
          expect(waitedMs).toBeLessThanOrEqual(queueTimeoutMs + lateMs + 1e-6);
          expect(isOnTime(told.verdict, waitedMs, queueTimeoutMs)).toBe(true);
        }
        expectPace(watched.went(), limit);
      }),
    );
  });
});

function perform(step: Step, watched: Watched, cancelled: Set<number>): void {
  if (step.does === 'wait') watched.clock.advance(step.ms);
  else if (step.does === 'ask') for (let time = 0; time < step.times; time += 1) watched.ask();
  else if (step.who < watched.places.length) {
    if (!watched.told.some(({ who }) => who === step.who)) cancelled.add(step.who);
    watched.cancel(step.who);
  }
}

function isOnTime(verdict: PaceVerdict, waitedMs: number, timeoutMs: number): boolean {
  if (verdict === 'queue_full') return waitedMs === 0;
  return verdict === 'go' ? waitedMs < timeoutMs : waitedMs >= timeoutMs;
}

function expectPace(went: readonly Told[], limit: number): void {
  const order = went.map(({ who }) => who);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  went.forEach((first, from) => {
    went.slice(from).forEach((last, more) => {
      const seconds = (last.atMs - first.atMs + 0.01) / 1000;
      expect(more + 1).toBeLessThanOrEqual(limit * (seconds + 0.02) + 1);
    });
  });
}
