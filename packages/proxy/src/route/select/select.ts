import type { Algorithm } from '../../config/resolved.ts';
import { first } from './first.ts';
import { hash, source } from './hash.ts';
import { leastconn } from './leastconn.ts';
import { random } from './random.ts';
import { roundrobin } from './roundrobin.ts';
import type { Selector } from './selector.ts';

const SELECTORS: Record<Algorithm, () => Selector> = { roundrobin, leastconn, source, random, hash, first };

/** The selector behind a `balance` word. */
export function selectorOf(algorithm: Algorithm): Selector {
  return SELECTORS[algorithm]();
}
