import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { removeForGood } from '../../src/process/removal.ts';

const leaseMs = 250;
const longEnoughMs = 10_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Fails so many times, and says when it was tried, and what was told of it. */
async function removed(failures: number): Promise<{ triedMs: number[]; told: string[] }> {
  const triedMs: number[] = [];
  const told: string[] = [];
  const beganMs = Date.now();
  const end = removeForGood({
    remove: async () => triedMs.push(Date.now() - beganMs) > failures,
    leaseMs,
    failed: () => told.push('failed'),
    worse: how => told.push(how),
  });
  await vi.advanceTimersByTimeAsync(longEnoughMs);
  await end;
  return { triedMs, told };
}

describe('removing an address', () => {
  it('is done when it is gone', async () => {
    expect(await removed(0)).toEqual({ triedMs: [0], told: [] });
  });

  it('is tried again within a lease, and told of once', async () => {
    const told = ['failed', 'again', 'failed'];
    expect(await removed(2)).toEqual({ triedMs: [0, 50, 100], told });
  });

  it('is tried five times within a lease, and then once a second', async () => {
    const told = ['failed', 'again', 'failed', 'failed', 'failed', 'failed', 'slowly', 'failed', 'failed'];
    expect(await removed(7)).toEqual({ triedMs: [0, 50, 100, 150, 200, 1_200, 2_200, 3_200], told });
  });
});
