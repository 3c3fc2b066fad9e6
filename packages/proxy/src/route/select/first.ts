import type { Selector } from './selector.ts';

/** In the order of the configuration: the first server fills up to its `maxconn`, then the next one. */
export function first(): Selector {
  return { order: contenders => [...contenders].sort((a, b) => a.index - b.index) };
}
