import { BlockList, isIP, isIPv6 } from 'node:net';
import type { RefuseWord, RouteCondition, RouteConfig, RouteField } from '../config/resolved.ts';
import type { Connect } from '../stages.ts';

/** What rules look at. Null: the client has no such thing, and no condition on it holds. */
export interface RouteFacts {
  readonly clientId: string;
  readonly username: string | null;
  readonly sni: string | null;
  /** The client's address; IPv4-mapped ones as IPv4. */
  readonly source: string;
  readonly version: Connect['version'];
  /** Of the WebSocket. */
  readonly path: string | null;
  /** Of a certificate that was verified. */
  readonly certCn: string | null;
}

/** What the rules say of a client; `default`: none of them holds. */
export type RouteDecision =
  | { readonly kind: 'backend'; readonly backend: string }
  | { readonly kind: 'refuse'; readonly word: RefuseWord }
  | { readonly kind: 'default' };

type Condition = (facts: RouteFacts) => boolean;

/** As `when.version` is written. */
const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;
const DEFAULT: RouteDecision = { kind: 'default' };
/**
 * Longer values match no expression: one may take time that grows with the square of the length, and while it runs its
 * worker serves nobody.
 */
const MAX_MATCHED_CHARACTERS = 1024;

/** Compiles a frontend's `routes` once; what it answers is asked for each client. The first rule that holds decides. */
export function compileRoutes(routes: readonly RouteConfig[]): (facts: RouteFacts) => RouteDecision {
  const rules = routes.map(({ when, action }) => ({
    conditions: when.map(compileCondition),
    decision: decisionOf(action),
  }));
  return facts => rules.find(rule => rule.conditions.every(holds => holds(facts)))?.decision ?? DEFAULT;
}

function decisionOf(action: RouteConfig['action']): RouteDecision {
  return 'backend' in action ? { kind: 'backend', backend: action.backend } : { kind: 'refuse', word: action.refuse };
}

function compileCondition(condition: RouteCondition): Condition {
  if (condition.field === 'source') return compileSource(condition.cidrs);
  const { field, prefixes } = condition;
  const exact = new Set(condition.exact);
  const patterns = condition.patterns.map(source => new RegExp(source, 'u'));
  return facts => {
    const value = textOf(field, facts);
    if (value === null) return false;
    if (exact.has(value) || prefixes.some(prefix => value.startsWith(prefix))) return true;
    return value.length <= MAX_MATCHED_CHARACTERS && patterns.some(pattern => pattern.test(value));
  };
}

function textOf(field: Exclude<RouteField, 'source'>, facts: RouteFacts): string | null {
  switch (field) {
    case 'client_id':
      return facts.clientId;
    case 'username':
      return facts.username;
    case 'sni':
      // RFC 4343: names are compared without regard to case; the configuration's are in lower case.
      return facts.sni?.toLowerCase() ?? null;
    case 'version':
      return VERSIONS[facts.version];
    case 'path':
      return facts.path;
    case 'cert_cn':
      return facts.certCn;
  }
}

function compileSource(cidrs: readonly string[]): Condition {
  // Two lists, for one would find an IPv4 address in `::/0` by its mapped form.
  const networks = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) {
    const [address = '', bits = ''] = cidr.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    networks[family].addSubnet(address, Number(bits), family);
  }
  return ({ source }) => {
    const [address = ''] = source.split('%');
    if (isIP(address) === 0) return false;
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    return networks[family].check(address, family);
  };
}

/** MQTT 3.1.1, table 3.1 (3.1 has the same), and 5.0, table 3-1. */
const CODES: Readonly<Record<RefuseWord, { readonly v3: number; readonly v5: number }>> = {
  not_authorized: { v3: 0x05, v5: 0x87 },
  banned: { v3: 0x05, v5: 0x8a },
  server_unavailable: { v3: 0x03, v5: 0x88 },
  busy: { v3: 0x03, v5: 0x89 },
  quota: { v3: 0x03, v5: 0x97 },
  identifier_rejected: { v3: 0x02, v5: 0x85 },
};

/** The code of the CONNACK that says it. 3.x has fewer: what it cannot say is said by the nearest that it has. */
export function refuseCode(word: RefuseWord, version: Connect['version']): number {
  return version === 5 ? CODES[word].v5 : CODES[word].v3;
}
