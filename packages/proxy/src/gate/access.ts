import type { FrontendConfig } from '../config/resolved.ts';
import { CidrSet } from './cidr.ts';

/** What a frontend's lists say of a source address. */
export type Access = 'allowed' | 'denied' | 'not_allowed';

/**
 * Compiles a frontend's `deny` and `allow` once; what it answers is asked for each client. `deny` is looked at first;
 * where there is an `allow`, whoever is not in it is `not_allowed`.
 * @throws LimpetError BAD_CIDR
 */
export function compileAccess({ allow, deny }: Pick<FrontendConfig, 'allow' | 'deny'>): (source: string) => Access {
  const denied = new CidrSet(deny);
  const allowed = new CidrSet(allow);
  return source => {
    if (denied.has(source)) return 'denied';
    return allowed.isEmpty || allowed.has(source) ? 'allowed' : 'not_allowed';
  };
}
