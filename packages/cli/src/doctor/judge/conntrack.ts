import { count, counted, percent } from '../../output/numbers.ts';
import { type Finding, findings, sysctl } from '../finding.ts';
import type { Load } from '../load.ts';

/** Null: the module is not loaded, or this network namespace has no view of it. */
export type Conntrack = { readonly max: number; readonly count: number | null } | null;

const { ok, warning, problem } = findings('conntrack');

/** The firewall's memory of connections: one to each client, one to each broker. A full one drops new connections. */
export function judgeConntrack(conntrack: Conntrack, { maxconn }: Load): Finding[] {
  if (conntrack === null) return [ok('not loaded: no firewall of this host counts connections')];
  const { max, count: used } = conntrack;
  const needed = 2 * maxconn;
  const what = `room for ${counted(max, 'connection')}${used === null ? '' : `, ${count(used)} in use`}`;
  const raise = sysctl('net.netfilter.nf_conntrack_max', Math.max(2 * needed, max));
  const spare = `or keep Limpet's connections out of it: nft add rule … notrack`;
  if (max < needed)
    return [
      problem(
        `${what}; ${counted(maxconn, 'session')} need ${count(needed)}, and beyond it new ones are dropped`,
        raise,
        spare,
      ),
    ];
  if (used !== null && used > 0.8 * max)
    return [
      warning(
        `${what} (${percent(used, max)}): when it is full, new connections are dropped`,
        sysctl('net.netfilter.nf_conntrack_max', 2 * max),
        spare,
      ),
    ];
  return [ok(what)];
}
