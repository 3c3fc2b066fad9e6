import type { Counter, Counts } from '../../account/counters.ts';

/** Before anything of the client was read: HAProxy's `tcp-request connection reject`. */
const AT_THE_DOOR: readonly Counter[] = [
  'refused:denied',
  'refused:not_allowed',
  'refused:source_maxconn',
  'refused:source_conn_rate',
];
/** Lists, rules and limits: what HAProxy calls denied. */
const RULES = /^(?:denied|not_allowed|rule|(?:source|frontend|backend)_\w+)$/;
/** What a broker did, or that there was none: counted at the backend, not as a fault of the client. */
const BROKERS: ReadonlySet<string> = new Set([
  'no_server',
  'server_full',
  'all_failed',
  'refused_by_server',
  'closed_by_server',
  'auth_failed',
]);

export function sumOf(counts: Counts, names: readonly Counter[]): number {
  return names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
}

/** Connections closed before anything of them was read (HAProxy's dcon): no sessions, as it counts them. */
export function refusedAtDoor(counts: Counts): number {
  return sumOf(counts, AT_THE_DOOR);
}

/** Clients turned away later, by rules and limits (HAProxy's dreq). */
export function refusedByRule(counts: Counts): number {
  return refused(counts, reason => RULES.test(reason)) - refusedAtDoor(counts);
}

/** Clients turned away for what they sent, or did not send in time (HAProxy's ereq). */
export function refusedForFault(counts: Counts): number {
  return refused(counts, reason => !RULES.test(reason) && !BROKERS.has(reason));
}

/** Legal CONNECTs of all versions. */
export function connectsOf(counts: Counts): number {
  return sumOf(counts, ['connect:3.1', 'connect:3.1.1', 'connect:5.0']);
}

function refused(counts: Counts, isMeant: (reason: string) => boolean): number {
  let sum = 0;
  for (const [name, count] of Object.entries(counts)) {
    if (name.startsWith('refused:') && isMeant(name.slice('refused:'.length))) sum += count ?? 0;
  }
  return sum;
}
