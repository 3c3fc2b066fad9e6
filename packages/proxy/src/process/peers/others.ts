import type { OtherProxy } from '@limpet/state';
import type { PeerFacts, Role } from '../../admin/snapshot.ts';
import type { PairMate } from '../pair/others.ts';
import { saysThere, saysUp } from './verdict_words.ts';

/** What this proxy is, as far as it decides about what others say. */
export interface Standpoint {
  readonly role: Role;
  /** The virtual addresses it is one of a pair for. */
  readonly vip: readonly string[];
  /** How long it has had that role. */
  readonly roleForMs: number;
}

/** What another one said before this proxy became active may come so late: it is read at most every 640 ms, if Redis is slow. */
const LATE_WORD_MS = 1500;

/**
 * `backend/server` → connections of the other proxies, as far as they count. Those of the other one of this proxy's own pair
 * do not while this one is active: they came by the address that is here now, and are gone or dying. Where that one has died
 * as the active one, it goes on saying so until it is silent; whoever says so after this one became active does live, and counts.
 */
export function connsElsewhere(others: readonly OtherProxy[], here: Standpoint): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const other of others) {
    if (other.conns === null || isRelieved(other, here)) continue;
    for (const [place, conns] of other.conns) sums.set(place, (sums.get(place) ?? 0) + conns);
  }
  return sums;
}

/** `backend/server` that the checks of another proxy have found well. */
export function upElsewhere(others: readonly OtherProxy[]): ReadonlySet<string> {
  return new Set(
    others.flatMap(({ health }) => [...(health ?? [])].flatMap(([place, words]) => (saysUp(words) ? place : []))),
  );
}

/** Those that are alive behind one of these addresses. One of which it is not known yet what it sees may see all. */
export function matesOf(others: readonly OtherProxy[], addresses: readonly string[]): readonly PairMate[] {
  const mates = others.filter(({ isAlive, vip }) => isAlive && addresses.some(one => vip.includes(one)));
  return mates.map(({ health, healthAgeMs }) => ({
    heardAgoMs: healthAgeMs ?? Number.POSITIVE_INFINITY,
    sees: backend => health === null || hasServer(health, backend),
  }));
}

/** Its checks have found some server of that backend. */
function hasServer(health: NonNullable<OtherProxy['health']>, backend: string): boolean {
  return [...health].some(([place, words]) => place.startsWith(`${backend}/`) && saysThere(words));
}

/** As the faces show it. */
export function peerFacts({ name, version, role, ready, vip, startedAtMs, isAlive, ...rest }: OtherProxy): PeerFacts {
  const { beatAgeMs, conns } = rest;
  const state = isAlive ? 'alive' : 'silent';
  const sum = conns === null ? null : [...conns.values()].reduce((all, one) => all + one, 0);
  return { name, self: false, version, role, ready, vip, startedAtMs, state, beatAgeMs, conns: sum };
}

/** This proxy has taken its place. */
function isRelieved({ role, vip, beatAgeMs }: OtherProxy, here: Standpoint): boolean {
  if (here.role !== 'active' || !here.vip.some(address => vip.includes(address))) return false;
  return role !== 'active' || beatAgeMs > here.roleForMs - LATE_WORD_MS;
}
