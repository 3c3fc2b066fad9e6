import { rendezvous } from '@limpet/state';
import type { Ask, Contender, Selector } from './selector.ts';

function byHash(value: string, contenders: readonly Contender[]): readonly Contender[] {
  const named = new Map(contenders.map(contender => [contender.name, contender]));
  return rendezvous(value, contenders).flatMap(name => named.get(name) ?? []);
}

/** `hash`: rendezvous on the stick key; a client without one is placed by its address. */
export function hash(): Selector {
  return { order: (contenders, ask: Ask) => byHash(ask.key ?? ask.source, contenders) };
}

/** `source`: rendezvous on the client's address. When a server goes, only its own clients move. */
export function source(): Selector {
  return { order: (contenders, ask: Ask) => byHash(ask.source, contenders) };
}
