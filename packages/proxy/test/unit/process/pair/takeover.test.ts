import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PaceConfig } from '../../../../src/config/resolved.ts';
import { Takeover } from '../../../../src/process/pair/takeover.ts';

const PACE: PaceConfig = { limit: 100, queue: 10, queueTimeoutMs: 1000 };

class Gate {
  readonly said: unknown[] = [];
  waits = 0;
  readonly takeover: Takeover = new Takeover({
    pace: pace => this.said.push(pace),
    waiting: () => this.waits,
    ask: on => this.said.push(on),
  });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('it holds for its time, and until nobody waits', () => {
  const gate = new Gate();
  gate.takeover.begin({ connectRate: PACE, paceForMs: 60_000 });
  expect(gate.said).toEqual([PACE, true]);
  gate.waits = 3;
  vi.advanceTimersByTime(61_000);
  expect([gate.takeover.isOn, gate.said.length]).toEqual([true, 2]);
  gate.waits = 0;
  vi.advanceTimersByTime(200);
  expect(gate.said.slice(2)).toEqual([false, null]);
  expect(gate.takeover.isOn).toBe(false);
});

test('nobody waits: it ends with its time, and not before', () => {
  const gate = new Gate();
  gate.takeover.begin({ connectRate: PACE, paceForMs: 60_000 });
  vi.advanceTimersByTime(59_999);
  expect(gate.takeover.isOn).toBe(true);
  vi.advanceTimersByTime(1);
  expect(gate.takeover.isOn).toBe(false);
});

test('without a pace nothing begins', () => {
  const gate = new Gate();
  gate.takeover.begin({ connectRate: null, paceForMs: 60_000 });
  expect(gate.said).toEqual([]);
  expect(gate.takeover.isOn).toBe(false);
});

test('a reload changes the pace while it holds, or ends it, and else does nothing', () => {
  const gate = new Gate();
  gate.takeover.reconfigure(PACE);
  expect(gate.said).toEqual([]);
  gate.takeover.begin({ connectRate: PACE, paceForMs: 60_000 });
  gate.takeover.reconfigure({ ...PACE, limit: 7 });
  expect(gate.said.at(-1)).toEqual({ ...PACE, limit: 7 });
  gate.takeover.reconfigure(null);
  expect(gate.said.slice(-2)).toEqual([false, null]);
});

test('the role goes: it ends at once, and once', () => {
  const gate = new Gate();
  gate.takeover.begin({ connectRate: PACE, paceForMs: 60_000 });
  gate.takeover.end();
  gate.takeover.end();
  expect(gate.said).toEqual([PACE, true, false, null]);
  vi.advanceTimersByTime(120_000);
  expect(gate.said.length).toBe(4);
});

test('what is left of it, for whoever goes on', () => {
  const gate = new Gate();
  expect(gate.takeover.leftMs).toBe(0);
  gate.takeover.begin({ connectRate: PACE, paceForMs: 60_000 });
  vi.advanceTimersByTime(45_000);
  expect(gate.takeover.leftMs).toBe(15_000);
  // Its time is over, and somebody still waits.
  gate.waits = 1;
  vi.advanceTimersByTime(20_000);
  expect(gate.takeover.leftMs).toBe(1);
  gate.takeover.end();
  expect(gate.takeover.leftMs).toBe(0);
});
