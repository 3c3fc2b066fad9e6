import type { Contender, Selector } from './selector.ts';

/** One draw, each contender as likely as its weight says. `draw` gives numbers from 0 up to, not including, 1. */
function weighted(contenders: readonly Contender[], draw: () => number): Contender | undefined {
  let rest = draw() * contenders.reduce((sum, { weight }) => sum + weight, 0);
  for (const contender of contenders) {
    rest -= contender.weight;
    if (rest < 0) return contender;
  }
  return contenders.at(-1);
}

/**
 * Two draws by weight, the less loaded of the two wins ("the power of two choices"; HAProxy's `random(2)`). The others
 * follow by the same rule, for retries.
 */
export function random(draw: () => number = Math.random): Selector {
  return {
    order(contenders: readonly Contender[]): readonly Contender[] {
      const left = [...contenders];
      const ordered: Contender[] = [];
      while (left.length > 0) {
        const one = weighted(left, draw);
        const two = weighted(left, draw);
        if (one === undefined || two === undefined) break;
        const better = two.conns / two.weight < one.conns / one.weight ? two : one;
        ordered.push(better);
        left.splice(left.indexOf(better), 1);
      }
      return ordered;
    },
  };
}
