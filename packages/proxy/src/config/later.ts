import type { Path } from './tree.ts';

/** A key, or a value of a key, that Limpet knows but cannot do yet. `*` in the path is any name or number. */
export interface Later {
  readonly path: string;
  readonly value?: string;
  readonly remedy: string;
}

const TLS = 'Let something in front of Limpet end TLS for now, and remove the key.';
const ACCESS = 'Use the firewall of the host for now, and remove the key.';
const ONE_REDIS = 'Give the `url` of one server, and remove the key.';
const TRUST = 'Let clients connect without a PROXY header for now, and remove the key.';

/**
 * What is to come. An operator who writes it is told so, instead of getting a proxy that does less than its file says.
 */
export const LATER: readonly Later[] = [
  { path: 'global.runtime_api', remedy: 'Remove the key; the log tells of every change of a server.' },
  { path: 'global.stats', remedy: 'Remove the key; the log tells of every change of a server.' },
  { path: 'state.redis.sentinels', remedy: ONE_REDIS },
  { path: 'state.redis.sentinel', remedy: ONE_REDIS },
  { path: 'state.redis.master', remedy: ONE_REDIS },
  { path: 'state.redis.cluster', remedy: ONE_REDIS },
  { path: 'state.redis.nodes', remedy: ONE_REDIS },
  { path: 'frontends.*.mode', value: 'tcp', remedy: 'Write `mode: mqtt`, or remove the frontend.' },
  { path: 'frontends.*.routes', remedy: 'Use one frontend for each backend, and remove the key.' },
  { path: 'frontends.*.accept_proxy', remedy: TRUST },
  { path: 'frontends.*.allow', remedy: ACCESS },
  { path: 'frontends.*.deny', remedy: ACCESS },
  { path: 'frontends.*.connect_rate', remedy: ACCESS },
  { path: 'frontends.*.bind.tls', remedy: TLS },
  { path: 'frontends.*.bind.websocket', remedy: 'Bind plain MQTT only, and remove the key.' },
  { path: 'frontends.*.bind.accept_proxy', remedy: TRUST },
  { path: 'backends.*.send_proxy.tlvs', value: 'ssl', remedy: 'Remove it: unique_id is the only one for now.' },
  { path: 'backends.*.send_proxy.tlvs', value: 'cn', remedy: 'Remove it: unique_id is the only one for now.' },
];

/** Whether a pattern of `LATER` means this path. Numbers of list items and the level of servers do not count. */
function isMeant(pattern: string, path: Path): boolean {
  const keys = path.filter(key => typeof key !== 'number').map(String);
  const plain = keys[0] === 'backends' && keys[2] === 'servers' ? [...keys.slice(0, 2), ...keys.slice(4)] : keys;
  const wanted = pattern.split('.');
  return wanted.length === plain.length && wanted.every((word, index) => word === '*' || word === plain[index]);
}

/** What is to come at this path: with a value, that value of the key; without, the key itself. */
export function laterAt(path: Path, value?: unknown): Later | null {
  return LATER.find(later => later.value === value && isMeant(later.path, path)) ?? null;
}
