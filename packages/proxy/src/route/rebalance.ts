import type { BackendConfig } from '../config/resolved.ts';
import { type ServerStatus, takesNew } from './scheduler.ts';

/** A server that sessions can be spread over. */
export interface Bearer {
  readonly name: string;
  /** Sessions now, reserved ones too. */
  readonly conns: number;
  /** Effective; above 0. */
  readonly weight: number;
  readonly maxconn: number | null;
}

/** The servers that take new clients now: the active ones, or the backups where there is no active one. Pure. */
export function bearersOf(
  { servers }: Pick<BackendConfig, 'servers'>,
  statuses: readonly ServerStatus[],
  conns: (server: string) => number,
): Bearer[] {
  const open = servers.flatMap(({ name, maxconn, backup }) => {
    const status = statuses.find(one => one.name === name);
    if (status === undefined || !takesNew(status)) return [];
    return { name, maxconn, backup, weight: status.weight, conns: conns(name) };
  });
  const active = open.filter(({ backup }) => !backup);
  return (active.length > 0 ? active : open).map(({ backup: _, ...bearer }) => bearer);
}

/**
 * What each server should bear of `total` sessions: by weight; what is above a server's `maxconn` is borne by the others.
 * Fractions are left as they are. Pure.
 */
export function sharesOf(bearers: readonly Bearer[], total: number): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  let open = bearers;
  let rest = total;
  for (;;) {
    const weights = open.reduce((sum, { weight }) => sum + weight, 0);
    const share = ({ weight }: Bearer): number => (rest * weight) / weights;
    const full = open.filter(bearer => bearer.maxconn !== null && bearer.maxconn < share(bearer));
    if (full.length === 0) {
      for (const bearer of open) shares.set(bearer.name, share(bearer));
      return shares;
    }
    for (const { name, maxconn } of full) {
      shares.set(name, maxconn ?? 0);
      rest -= maxconn ?? 0;
    }
    open = open.filter(bearer => !full.includes(bearer));
  }
}

/**
 * How many sessions each server has above its share of `expected` and `threshold` (0.05: 5 % of the share). Those that are
 * on their way from one server to another belong to `expected` though nobody has them. Never asks for what cannot be: a
 * server may have its share rounded up, and whoever would come back to it stays. Only servers with a surplus are named. Pure.
 */
export function surplusOf(
  bearers: readonly Bearer[],
  expected: number,
  threshold: number,
): readonly { readonly server: string; readonly surplus: number }[] {
  const shares = sharesOf(bearers, expected);
  return bearers.flatMap(({ name, conns }) => {
    const share = shares.get(name) ?? 0;
    const most = Math.max(Math.ceil(share), Math.floor(share * (1 + threshold)), comesBack(name, bearers));
    return conns > most ? { server: name, surplus: conns - most } : [];
  });
}

/** With so many sessions a server is still where the next one goes: the others with room have no less for their weight. */
function comesBack(server: string, bearers: readonly Bearer[]): number {
  const weight = bearers.find(({ name }) => name === server)?.weight ?? 0;
  const others = bearers.filter(({ name, conns, maxconn }) => name !== server && (maxconn === null || conns < maxconn));
  return Math.floor(Math.min(...others.map(other => ((other.conns + 1) * weight) / other.weight)));
}
