import { expect, test, vi } from 'vitest';
import { Ledger } from '../../../src/account/ledger.ts';
import { LedgerClock } from '../../../src/account/ledger_clock.ts';

test('rates are told every second, samples every ten, until it is closed', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
  try {
    const ledger = new Ledger();
    const clock = new LedgerClock(ledger);
    ledger.tally(1, [{ k: 'worker', n: '', c: { connections: 50 } }]);
    vi.advanceTimersByTime(1000);
    expect(ledger.scope('worker', '')).toMatchObject({ rate: 50, rateMax: 50 });
    vi.advanceTimersByTime(1000);
    expect(ledger.scope('worker', '')).toMatchObject({ rate: 0, rateMax: 50 });
    vi.advanceTimersByTime(18_000);
    expect(clock.history.facts().connections).toEqual([5, 0]);
    clock.close();
    vi.advanceTimersByTime(60_000);
    expect(clock.history.facts().connections).toEqual([5, 0]);
  } finally {
    vi.useRealTimers();
  }
});
