import type { Client, Entry, Session } from './admin/facts.ts';
import { type Column, columns } from './output/columns.ts';
import { bytes, clock, duration } from './output/numbers.ts';
import { printable } from './output/print.ts';

const SESSION_COLUMNS: readonly Column[] = [
  { title: 'CLIENT ID' },
  { title: 'SERVER' },
  { title: 'WHY' },
  { title: 'FROM' },
  { title: 'BY' },
  { title: 'FOR' },
  { title: 'IN', align: 'right' },
  { title: 'OUT', align: 'right' },
  { title: 'WORKER' },
];

/** `limpet client list`: a line a session. */
export function sessionLines(sessions: readonly Session[], nowMs: number): string[] {
  const rows = sessions.map(session => [
    session.client_id === null ? '-' : printable(session.client_id),
    serverText(session),
    session.how ?? session.stage,
    session.client,
    wayText(session),
    duration(nowMs - (session.linked_at_ms ?? session.accepted_at_ms)),
    bytes(session.bytes_in),
    bytes(session.bytes_out),
    session.worker,
  ]);
  return columns(SESSION_COLUMNS, rows);
}

function serverText({ backend, server, stage }: Session): string {
  if (backend === null) return `- (${stage})`;
  return server === null ? `${backend} (${stage})` : `${backend}/${server}`;
}

/** `MQTT 5.0, TLSv1.3, WebSocket`. */
function wayText({ version, tls, websocket }: Session): string {
  const mqtt = version === null ? 'TCP' : `MQTT ${version}`;
  return [mqtt, ...(tls === null ? [] : [tls]), ...(websocket ? ['WebSocket'] : [])].map(printable).join(', ');
}

const WHY: Readonly<Record<NonNullable<Session['how']>, string>> = {
  sticky: 'came home: the table named this server',
  new: 'new: the table did not know it, the scheduler chose',
  moved: 'moved: the server it was on was not usable',
  none: 'not sticky: the scheduler chose',
};

/** `limpet client show`: where a client is, since when, and why there. */
export function clientLines(client: Client, nowMs: number): string[] {
  const head = `client ${printable(client.client_id)}`;
  return [
    ...client.sessions.flatMap(session => [`${head}: ${placeText(session, nowMs)}`, ...sessionFacts(session)]),
    ...(client.sessions.length === 0 ? [`${head}: not connected to this proxy`] : []),
    ...client.entries.map(entry => `  ${'entry'.padEnd(10)}  ${entryText(entry)}`),
  ];
}

function placeText(session: Session, nowMs: number): string {
  if (session.linked_at_ms === null) return `${serverText(session)}, not accepted yet`;
  return `on ${serverText(session)} for ${duration(nowMs - session.linked_at_ms)}`;
}

function sessionFacts(session: Session): string[] {
  const { how, retries, username, keep_alive_s: keepAlive } = session;
  const facts: [name: string, value: string][] = [
    ['why', how === null ? session.stage : WHY[how]],
    ...(retries === 0 ? [] : [['retries', String(retries)] as [string, string]]),
    ['from', `${session.client} to ${session.frontend} ${session.bind}, ${wayText(session)}`],
    ...(username === null ? [] : [['user', printable(username)] as [string, string]]),
    ['since', clock(session.accepted_at_ms)],
    ['bytes', `${bytes(session.bytes_in)} from it, ${bytes(session.bytes_out)} to it`],
    ...(keepAlive === null ? [] : [['keep-alive', keepAlive === 0 ? 'none' : `${keepAlive} s`] as [string, string]]),
    ['session', `${session.worker} ${session.id}`],
  ];
  return facts.map(([name, value]) => `  ${name.padEnd(10)}  ${value}`);
}

function entryText({ backend, server, state, ttl_ms: ttl, key }: Client['entries'][number]): string {
  return `${backend} → ${server}, ${state}${ttlText(ttl) === '-' ? '' : `, ${ttlText(ttl)} left`} (key ${printable(key)})`;
}

const ENTRY_COLUMNS: readonly Column[] = [
  { title: 'KEY' },
  { title: 'SERVER' },
  { title: 'STATE' },
  { title: 'LEFT', align: 'right' },
  { title: 'OWNER' },
];

/** Entries of a stick table, a line each. */
export function entryLines(entries: readonly Entry[]): string[] {
  const rows = entries.map(({ key, server, state, ttl_ms: ttl, owner }) => [
    printable(key),
    printable(server),
    state,
    ttlText(ttl),
    printable(owner),
  ]);
  return columns(ENTRY_COLUMNS, rows);
}

/** What is left of an entry; one of a live session has no end. */
function ttlText(ttlMs: number | null): string {
  return ttlMs === null ? '-' : duration(ttlMs);
}
