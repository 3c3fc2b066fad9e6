import { expect, test } from 'vitest';
import type { Config, PaceConfig } from '../../../src/config/resolved.ts';
import { Gatekeeper } from '../../../src/gate/gatekeeper.ts';
import { StillClock } from './clock.ts';

const PACE: PaceConfig = { limit: 100, queue: 5, queueTimeoutMs: 1000 };

/** Frontends `one` and `two`, without any limit of their own unless given. */
class Gate {
  readonly clock: StillClock = new StillClock(1000);
  readonly keeper: Gatekeeper;
  readonly answers = new Map<number, string>();

  constructor(backendRate: PaceConfig | null = null) {
    const none = { perSource: { maxconn: null, connRate: null, connectRate: null }, connRate: null, connectRate: null };
    const config = {
      global: { workers: 2 },
      frontends: ['one', 'two'].map(name => ({ name, ...none })),
      backends: [{ name: 'b', connectRate: backendRate }],
    };
    this.keeper = new Gatekeeper(config as unknown as Config, this.clock);
  }

  connect(session: number, frontend = 'one'): void {
    this.keeper.connect({ worker: 1, session }, { frontend, source: '192.0.2.1', backend: 'b' }, answer => {
      this.answers.set(session, answer.kind === 'refused' ? answer.reason : answer.kind);
    });
  }

  get in(): number {
    return [...this.answers.values()].filter(answer => answer === 'in').length;
  }
}

test('CONNECTs of all frontends go at one pace together', () => {
  const gate = new Gate();
  gate.keeper.takeOver({ ...PACE, queue: 1000 });
  for (let session = 0; session < 100; session += 1) gate.connect(session, session % 2 === 0 ? 'one' : 'two');
  // 20 ms' worth may go at once.
  expect(gate.in).toBeLessThanOrEqual(3);
  expect(gate.keeper.waitingForTakeover).toBe(100 - gate.in);
  expect(gate.keeper.waiting).toBe(gate.keeper.waitingForTakeover);
  gate.clock.advance(500);
  expect(gate.in).toBeGreaterThanOrEqual(50);
  expect(gate.in).toBeLessThanOrEqual(53);
});

test('nobody is refused before the queue is full, or the time is over', () => {
  const gate = new Gate();
  gate.keeper.takeOver({ ...PACE, limit: 1 });
  for (let session = 0; session < 7; session += 1) gate.connect(session);
  expect([...gate.answers]).toEqual([
    [0, 'in'],
    [6, 'takeover_queue_full'],
  ]);
  gate.clock.advance(1100);
  expect(new Set(gate.answers.values())).toEqual(new Set(['in', 'takeover_queue_full', 'takeover_queue_timeout']));
});

test('behind it the pace of the backend holds', () => {
  const gate = new Gate({ limit: 1, queue: 100, queueTimeoutMs: 60_000 });
  gate.keeper.takeOver({ ...PACE, queue: 1000 });
  for (let session = 0; session < 20; session += 1) gate.connect(session);
  gate.clock.advance(1000);
  expect(gate.in).toBeLessThanOrEqual(2);
  expect(gate.keeper.waitingForTakeover).toBe(0);
});

test('when it is over, those who wait go, and nobody is asked to wait any more', () => {
  const gate = new Gate();
  gate.keeper.takeOver({ ...PACE, limit: 1 });
  for (let session = 0; session < 4; session += 1) gate.connect(session);
  gate.keeper.takeOver(null);
  expect(gate.in).toBe(4);
  gate.connect(5);
  expect(gate.in).toBe(5);
  expect(gate.keeper.waitingForTakeover).toBe(0);
});

test('who leaves while it waits frees its place', () => {
  const gate = new Gate();
  gate.keeper.takeOver({ ...PACE, limit: 1 });
  for (let session = 0; session < 3; session += 1) gate.connect(session);
  gate.keeper.leave({ worker: 1, session: 1 });
  expect(gate.answers.get(1)).toBe('gone');
  gate.keeper.workerGone(1);
  expect(gate.keeper.waitingForTakeover).toBe(0);
});
