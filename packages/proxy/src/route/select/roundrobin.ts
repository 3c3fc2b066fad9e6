import { keepOnly } from './keep_only.ts';
import type { Contender, Selector } from './selector.ts';

/**
 * Smooth weighted round robin: everybody's credit grows by its weight, the highest credit is next and pays the total.
 * Weights 5, 1, 1 give a a b a c a a, not a a a a a b c. Servers that come and go keep their
 * credit, until a reload takes them away.
 */
export function roundrobin(): Selector {
  const credits = new Map<string, number>();
  return {
    order(contenders: readonly Contender[]): readonly Contender[] {
      let total = 0;
      for (const { name, weight } of contenders) {
        total += weight;
        credits.set(name, (credits.get(name) ?? 0) + weight);
      }
      const credit = (contender: Contender): number => credits.get(contender.name) ?? 0;
      const ordered = [...contenders].sort((a, b) => credit(b) - credit(a) || a.index - b.index);
      const first = ordered[0];
      if (first !== undefined) credits.set(first.name, credit(first) - total);
      return ordered;
    },
    keep: names => keepOnly(credits, names),
  };
}
