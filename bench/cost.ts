/**
 * What a run costs: the proxy's CPU, and beside it what the load and the brokers take.
 */
import type { Brokers } from './brokers.ts';
import type { Figure } from './measure.ts';
import type { Target } from './target.ts';

export interface Cost {
  /** `cpuUs` and `loadUs` of one unit, from start to now. */
  per(units: number): Partial<Record<Figure, number>>;
}

/** Starts to count. `load`: CPU µs of the load so far. */
export function startCost(target: Target, brokers: Brokers, load: () => number): Cost {
  const before = { proxy: target.cpuUs(), load: load() + brokers.cpuUs() };
  return {
    per: units => ({
      cpuUs: (target.cpuUs() - before.proxy) / units,
      loadUs: (load() + brokers.cpuUs() - before.load) / units,
    }),
  };
}
