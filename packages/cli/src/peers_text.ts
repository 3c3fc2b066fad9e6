import type { Info, Overview, Peer } from './admin/facts.ts';
import { type Column, columns } from './output/columns.ts';
import { count, duration } from './output/numbers.ts';
import type { Paint, Tone } from './output/paint.ts';
import { printable } from './output/print.ts';

const COLUMNS: readonly Column[] = [
  { title: '  PROXY' },
  { title: 'ROLE' },
  { title: 'STATE' },
  { title: 'CONNECTIONS', align: 'right' },
  { title: 'VERSION' },
  { title: 'UP' },
  { title: 'LAST BEAT' },
  { title: 'VIP' },
];
const STATE_COLUMN = 2;

/** The proxies that share the state; nothing where this one is alone and has no virtual address. */
export function peerLines({ proxies, info }: Overview, paint: Paint): string[] {
  if (!areOfInterest(proxies)) return [];
  const rows = proxies.map(peer => peerRow(peer, info.at_ms));
  const paintCell = (cell: string, row: number, column: number): string =>
    column === STATE_COLUMN ? paint(peerTone(proxies[row]), cell) : cell;
  return [paint('strong', 'proxies'), ...columns(COLUMNS, rows, paintCell)];
}

function areOfInterest(proxies: readonly Peer[]): boolean {
  return proxies.length > 1 || proxies.some(({ vip }) => vip.length > 0);
}

function peerRow(peer: Peer, nowMs: number): string[] {
  const { name, self, role, state, conns, version, vip } = peer;
  return [
    `  ${printable(name)}${self ? ' (this one)' : ''}`,
    // The last that was heard: beside a silent one that was active this one may be, too.
    state === 'silent' ? `was ${role}` : role,
    isUnready(peer) ? 'not ready' : state,
    conns === null ? '-' : count(conns),
    printable(version),
    state === 'silent' ? '-' : duration(nowMs - peer.started_at_ms),
    self ? '-' : `${duration(peer.beat_age_ms)} ago`,
    vip.length === 0 ? '-' : vip.map(printable).join(' '),
  ];
}

function peerTone(peer: Peer | undefined): Tone {
  if (peer === undefined || peer.state === 'silent') return 'bad';
  return isUnready(peer) ? 'warn' : 'good';
}

/** It lives, and says that it cannot take over. */
function isUnready({ state, ready }: Pick<Peer, 'state' | 'ready'>): boolean {
  return state === 'alive' && ready === false;
}

/** `standby for 2 h 5 min`; without a change the role is as old as the process. */
export function roleText({ role, role_since_ms: sinceMs, at_ms: nowMs }: Info): string {
  return sinceMs === null ? role : `${role} for ${duration(nowMs - sinceMs)}`;
}

/** `lb1 active 1,200, lb2 standby silent`: where there is one line. Empty: this one is alone. */
export function peersInShort({ proxies }: Overview): readonly (readonly [tone: Tone, text: string])[] {
  if (proxies.length < 2) return [];
  return proxies.flatMap(({ name, role, state, ready, conns }, at) => {
    const how = state === 'silent' ? ' silent' : isUnready({ state, ready }) ? ' not ready' : '';
    const numbers = conns === null ? '' : ` ${count(conns)}`;
    const text = `${printable(name)} ${role}${how}${numbers}`;
    return [['plain', at === 0 ? 'proxies  ' : ', '] as const, [how === '' ? 'plain' : 'bad', text] as const];
  });
}

/** What a drain that has found nobody on a standby has left out: the sessions are on the active proxy. */
export function drainElsewhere(proxies: readonly Peer[]): string[] {
  const self = proxies.find(one => one.self);
  if (self?.role !== 'standby') return [];
  const others = proxies.filter(({ role, state, vip }) => {
    return role === 'active' && state === 'alive' && vip.some(address => self.vip.includes(address));
  });
  return others.map(({ name, conns }) => {
    const numbers = conns === null ? '' : ` (it has ${count(conns)} ${conns === 1 ? 'connection' : 'connections'})`;
    return `this proxy is standby: the sessions are on ${printable(name)}${numbers}; drain there, too`;
  });
}
