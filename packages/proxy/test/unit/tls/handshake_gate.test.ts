import { describe, expect, test } from 'vitest';
import { type Candidate, HandshakeGate } from '../../../src/tls/handshake_gate.ts';
import { until } from '../../kit/condition.ts';

/** Candidates that note their turn, and may compute for a while in the tick after it, as OpenSSL does. */
function candidates(count: number, busyMs = 0): { readonly all: readonly Candidate[]; readonly begun: number[] } {
  const begun: number[] = [];
  const all = Array.from({ length: count }, (_, index) => ({
    begin() {
      begun.push(index);
      process.nextTick(() => {
        const endMs = performance.now() + busyMs;
        while (performance.now() < endMs);
      });
    },
  }));
  return { all, begun };
}

describe('the gate', () => {
  test('lets in as many as may be, in their order, and the next when one leaves', async () => {
    const gate = new HandshakeGate({ most: 3, queue: 10 });
    const { all, begun } = candidates(6);
    for (const one of all) expect(gate.enter(one)).toBe(true);
    await until(() => begun.length === 3, { what: 'three' });
    expect(gate.counts).toEqual({ inside: 3, waiting: 3 });
    if (all[1] !== undefined) gate.leave(all[1]);
    if (all[1] !== undefined) gate.leave(all[1]);
    await until(() => begun.length === 4, { what: 'the fourth' });
    expect([begun, gate.counts]).toEqual([[0, 1, 2, 3], { inside: 3, waiting: 2 }]);
  });

  test('who leaves while it waits never begins', async () => {
    const gate = new HandshakeGate({ most: 1, queue: 10 });
    const { all, begun } = candidates(3);
    for (const one of all) gate.enter(one);
    if (all[1] !== undefined) gate.leave(all[1]);
    if (all[0] !== undefined) gate.leave(all[0]);
    await until(() => begun.length === 2, { what: 'the third' });
    expect(begun).toEqual([0, 2]);
  });

  test('P7: beyond the queue nobody waits', () => {
    const gate = new HandshakeGate({ most: 2, queue: 1 });
    expect(candidates(5).all.map(one => gate.enter(one))).toEqual([true, true, true, false, false]);
    const none = new HandshakeGate({ most: 1, queue: 0 });
    expect(candidates(2).all.map(one => none.enter(one))).toEqual([true, false]);
  });

  test('P10: those that compute leave every turn of the event loop after a few milliseconds', async () => {
    const gate = new HandshakeGate({ most: 1000, queue: 0 });
    const { all, begun } = candidates(40, 2);
    for (const one of all) gate.enter(one);
    const perTurn: number[] = [];
    // From the end of a turn on: those above have begun in the middle of one.
    await new Promise(resolve => setImmediate(resolve));
    while (begun.length < 40) {
      const before = begun.length;
      await new Promise(resolve => setImmediate(resolve));
      perTurn.push(begun.length - before);
    }
    // 2 ms each, 3 ms a turn: two at most, whatever else the machine does.
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(2);
  });

  test('one that fails at once makes room at once', async () => {
    const gate = new HandshakeGate({ most: 1, queue: 10 });
    const begun: number[] = [];
    const all: Candidate[] = [0, 1, 2].map(index => ({
      begin() {
        begun.push(index);
        const self = all[index];
        if (self !== undefined) gate.leave(self);
      },
    }));
    for (const one of all) gate.enter(one);
    await until(() => begun.length === 3, { what: 'all three' });
    expect(gate.counts).toEqual({ inside: 0, waiting: 0 });
  });
});
