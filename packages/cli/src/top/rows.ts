import type { Overview, Server } from '../admin/facts.ts';
import { bytes, count, percent, shortDuration } from '../output/numbers.ts';
import { type ServerState, serverState } from '../server_state.ts';
import type { Pace, Samples } from './samples.ts';

/** A server as a line of the table. */
export interface Row {
  /** `backend/server`. */
  readonly name: string;
  readonly server: Server;
  readonly state: ServerState;
  /** Of its backend's sessions. */
  readonly of: number;
  readonly pace: Pace | null;
  readonly forMs: number;
}

export interface TopColumn {
  readonly key: string;
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  readonly text: (row: Row) => string;
  /** What it is sorted by; null: the order of the configuration. */
  readonly value: (row: Row) => number | string | null;
}

const numbers = { align: 'right' } as const;
const words = { align: 'left' } as const;

/** From left to right. The first one takes the room that is left. */
export const TOP_COLUMNS: readonly TopColumn[] = [
  { key: 'server', title: 'BACKEND/SERVER', width: 15, ...words, text: row => row.name, value: () => null },
  { key: 'state', title: 'STATE', width: 11, ...words, text: row => row.state.word, value: row => row.state.word },
  { key: 'sessions', title: 'SESSIONS', width: 9, ...numbers, text: sessions, value: row => row.server.sessions },
  {
    key: 'share',
    title: 'SHARE',
    width: 6,
    ...numbers,
    text: shareText,
    value: row => row.server.sessions / (row.of || 1),
  },
  {
    key: 'rate',
    title: 'NEW/S',
    width: 6,
    ...numbers,
    text: row => count(row.server.rate),
    value: row => row.server.rate,
  },
  {
    key: 'in',
    title: 'IN/S',
    width: 8,
    ...numbers,
    text: row => pace(row, 'bytesIn'),
    value: row => row.pace?.bytesIn ?? 0,
  },
  {
    key: 'out',
    title: 'OUT/S',
    width: 8,
    ...numbers,
    text: row => pace(row, 'bytesOut'),
    value: row => row.pace?.bytesOut ?? 0,
  },
  { key: 'connack', title: 'CONNACK', width: 8, ...numbers, text: connack, value: row => row.pace?.connackP50 ?? -1 },
  {
    key: 'weight',
    title: 'WEIGHT',
    width: 7,
    ...numbers,
    text: row => String(row.server.weight),
    value: row => row.server.weight,
  },
  { key: 'for', title: 'FOR', width: 7, ...numbers, text: row => shortDuration(row.forMs), value: row => row.forMs },
];

/** Left out first where there is no room. */
const LEFT_OUT: readonly string[] = ['weight', 'for', 'connack', 'out', 'in', 'share', 'rate', 'state'];

/** Those that a terminal of that width has room for, with a mark before each line and a blank between two. */
export function shownColumns(width: number): readonly TopColumn[] {
  let shown = TOP_COLUMNS;
  for (const key of LEFT_OUT) {
    const needed = shown.reduce((sum, column) => sum + column.width + 1, 1);
    if (needed <= width) break;
    shown = shown.filter(column => column.key !== key);
  }
  return shown;
}

export function rowsOf({ backends, info }: Overview, samples: Samples): readonly Row[] {
  return backends.flatMap(backend =>
    backend.servers.map(server => {
      const name = `${backend.name}/${server.name}`;
      const forMs = info.at_ms - server.since_ms;
      return { name, server, state: serverState(server), of: backend.sessions, pace: samples.pace(name), forMs };
    }),
  );
}

export function sorted(rows: readonly Row[], column: TopColumn, isDescending: boolean): readonly Row[] {
  const sign = isDescending ? -1 : 1;
  const keyed = rows.map((row, place) => ({ row, value: column.value(row) ?? place, place }));
  // Equal ones keep the order of the configuration.
  return keyed.sort((a, b) => sign * compared(a.value, b.value) || a.place - b.place).map(({ row }) => row);
}

function compared(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sessions({ server }: Row): string {
  return count(server.sessions);
}

function shareText({ server, of }: Row): string {
  return percent(server.sessions, of);
}

function pace(row: Row, which: 'bytesIn' | 'bytesOut'): string {
  return row.pace === null ? '-' : bytes(row.pace[which]);
}

function connack({ pace: lately }: Row): string {
  return latency(lately?.connackP50 ?? null);
}

/** `0.4 ms`, `12 ms`, `1.2 s`. */
export function latency(ms: number | null): string {
  if (ms === null) return '-';
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
