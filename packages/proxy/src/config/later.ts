import type { Path } from './tree.ts';

/** A key that Limpet knows but cannot do yet. */
export interface Later {
  readonly path: string;
  readonly remedy: string;
}

const ONE_REDIS = 'Give the `url` of one server, and remove the key.';

/**
 * What is to come. An operator who writes it is told so, instead of getting a proxy that does less than its file says.
 */
export const LATER: readonly Later[] = [
  { path: 'state.redis.sentinels', remedy: ONE_REDIS },
  { path: 'state.redis.sentinel', remedy: ONE_REDIS },
  { path: 'state.redis.master', remedy: ONE_REDIS },
  { path: 'state.redis.cluster', remedy: ONE_REDIS },
  { path: 'state.redis.nodes', remedy: ONE_REDIS },
];

/** What is to come at this path. */
export function laterAt(path: Path): Later | null {
  const wanted = path.map(String).join('.');
  return LATER.find(later => later.path === wanted) ?? null;
}
