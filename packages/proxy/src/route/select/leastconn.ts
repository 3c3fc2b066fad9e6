import { keepOnly } from './keep_only.ts';
import type { Contender, Selector } from './selector.ts';

/**
 * Fewest connections for its weight first. The one to come is counted in, so that an empty server of weight 1 and an
 * empty one of weight 5 are not equal. Of equals the one goes first whose last turn is longest ago, as in HAProxy.
 */
export function leastconn(): Selector {
  const turns = new Map<string, number>();
  let turn = 0;
  return {
    order(contenders: readonly Contender[]): readonly Contender[] {
      const load = ({ conns, weight }: Contender): number => (conns + 1) / weight;
      const lastTurn = ({ name }: Contender): number => turns.get(name) ?? -1;
      const ordered = [...contenders].sort(
        (a, b) => load(a) - load(b) || lastTurn(a) - lastTurn(b) || a.index - b.index,
      );
      const first = ordered[0];
      turn += 1;
      if (first !== undefined) turns.set(first.name, turn);
      return ordered;
    },
    keep: names => keepOnly(turns, names),
  };
}
