import type { Info, Peer } from '../../admin/facts.ts';
import { counted, duration } from '../../output/numbers.ts';
import { type Finding, findings } from '../finding.ts';

export type ProxySeen =
  | { readonly kind: 'runs'; readonly info: Info; readonly proxies: readonly Peer[] }
  | { readonly kind: 'away'; readonly why: string };

const { ok, note, warning, problem } = findings('proxy');

/** What the running proxy says of itself, and of those that share its state. */
export function judgeProxy(seen: ProxySeen, version: string): Finding[] {
  if (seen.kind === 'away')
    return [note(`none is asked: ${seen.why}`, 'systemctl start limpet, or name its socket: --socket PATH')];
  const { info, proxies } = seen;
  const up = duration(info.at_ms - info.started_at_ms);
  const found = [ok(`${info.name} ${info.version} runs, ${info.role}, up ${up}, pid ${info.pid}`)];
  if (info.version !== version) {
    const what = `${info.name} is version ${info.version}, this program ${version}`;
    found.push(note(what, 'systemctl kill -s USR2 limpet replaces the running one without losing a client'));
  }
  if (info.last_reload !== null && !info.last_reload.ok)
    found.push(
      warning('its last reload was refused, and a restart would fail too', `limpet check -c ${info.config_path}`),
    );
  return [...found, ...peerFindings(proxies), ...pairFindings(proxies)];
}

function peerFindings(proxies: readonly Peer[]): Finding[] {
  const silent = proxies.filter(({ state }) => state === 'silent');
  const versions = new Set(proxies.map(({ version }) => version));
  return [
    ...silent.map(({ name, beat_age_ms: ageMs }) =>
      warning(
        `${name} shares the state and has been silent for ${duration(ageMs)}`,
        `on its host: systemctl status limpet; if it is gone for good, it is forgotten by itself`,
      ),
    ),
    ...(versions.size > 1
      ? [
          note(
            `the proxies that share the state are of ${counted(versions.size, 'version')}: ${[...versions].join(', ')}; one release apart they work together`,
          ),
        ]
      : []),
  ];
}

/** Each virtual address has one active proxy. */
function pairFindings(proxies: readonly Peer[]): Finding[] {
  const addresses = [...new Set(proxies.flatMap(({ vip }) => vip))];
  return addresses.flatMap(address => {
    const pair = proxies.filter(({ vip, state }) => state === 'alive' && vip.includes(address));
    const active = pair.filter(({ role }) => role === 'active').map(({ name }) => name);
    if (active.length > 1)
      return [
        problem(
          `${active.join(' and ')} are both active for ${address}: the hosts do not hear each other`,
          `ip addr show | grep ${address} on both; stop limpet-keepalived (limpet-vip) on one of them and mend the network between them`,
        ),
      ];
    if (active.length === 0)
      return [
        problem(
          `nobody is active for ${address}`,
          'journalctl -u limpet -u limpet-keepalived -u limpet-vip on both hosts says why',
        ),
      ];
    if (pair.length < 2)
      return [
        warning(
          `${active[0]} is alone at ${address}: nobody stands by`,
          'start Limpet, and limpet-keepalived or limpet-vip, on the other host',
        ),
      ];
    return [ok(`${active[0]} is active for ${address}, ${pair.length - 1} stand by`), ...pair.flatMap(unready)];
  });
}

function unready({ name, role, ready }: Peer): Finding[] {
  if (role !== 'standby' || ready !== false) return [];
  return [
    warning(
      `${name} stands by and is not ready: it cannot take over`,
      'on its host: limpet status, and its log (readiness), say what it lacks',
    ),
  ];
}
