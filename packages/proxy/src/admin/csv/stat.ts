import type { Snapshot } from '../snapshot.ts';
import { COLUMNS, tagsOf, wordedTags } from './columns.ts';
import { type StatRow, statRows } from './rows.ts';

/** Which rows are wanted (`show stat {iid|proxy} type sid`). */
export interface StatPick {
  /** Number or name of a proxy; null: all. */
  readonly proxy: number | string | null;
  /** Sum of 1 frontends, 2 backends, 4 servers; -1: all. */
  readonly types: number;
  /** Number of a server; -1: all. */
  readonly sid: number;
}

const ALL: StatPick = { proxy: null, types: -1, sid: -1 };
const TYPE_BITS = { F: 1, B: 2, S: 4 };
const OBJECTS = { F: 'Frontend', B: 'Backend', S: 'Server' };

/** HAProxy's CSV (management manual, 9.1): `show stat`, and `/stats;csv`. Ends with a line feed. */
export function statsCsv(snapshot: Snapshot, pick: StatPick = ALL): string {
  const head = `# ${COLUMNS.map(({ name }) => name).join(',')},\n`;
  const lines = picked(snapshot, pick).map(lineOf);
  return head + lines.join('');
}

/** Most cells are empty or numbers, which need no look at their characters. */
function lineOf({ values }: StatRow): string {
  let line = '';
  for (const { name } of COLUMNS) {
    const value = values[name];
    if (value !== undefined) line += typeof value === 'number' ? value : cell(value);
    line += ',';
  }
  return `${line}\n`;
}

/** HAProxy's typed output (9.2): a line a value, without those that are empty. */
export function statsTyped(snapshot: Snapshot, pick: StatPick = ALL): string {
  const lines = picked(snapshot, pick).flatMap(row =>
    fieldsOf(row).map(
      ({ pos, name, tags, type, value }) =>
        `${row.kind}.${row.iid}.${row.sid}.${pos}.${name}.1:${tags}:${type}:${value}\n`,
    ),
  );
  return lines.join('');
}

/** HAProxy's JSON (`show stat json`), on one line. */
export function statsJson(snapshot: Snapshot, pick: StatPick = ALL): string {
  const rows = picked(snapshot, pick).map(row =>
    fieldsOf(row).map(({ pos, name, tags, type, value }) => ({
      objType: OBJECTS[row.kind],
      proxyId: row.iid,
      id: row.sid,
      field: { pos, name },
      processNum: 1,
      tags: wordedTags(tags),
      value: { type, value },
    })),
  );
  return `${JSON.stringify(rows)}\n`;
}

/** Whether there is a frontend or backend of that name or number. */
export function hasProxy(snapshot: Snapshot, proxy: number | string): boolean {
  return statRows(snapshot).some(row => row.iid === proxy || row.proxy === proxy);
}

function picked(snapshot: Snapshot, { proxy, types, sid }: StatPick): readonly StatRow[] {
  return statRows(snapshot).filter(
    row =>
      (proxy === null || row.iid === proxy || row.proxy === proxy) &&
      (types & TYPE_BITS[row.kind]) !== 0 &&
      (sid === -1 || row.sid === sid),
  );
}

interface Field {
  readonly pos: number;
  readonly name: string;
  readonly tags: string;
  readonly type: string;
  readonly value: string | number;
}

function fieldsOf(row: StatRow): readonly Field[] {
  return COLUMNS.flatMap((column, pos) => {
    const value = row.values[column.name];
    if (value === undefined || column.name === '-') return [];
    return [{ pos, name: column.name, tags: tagsOf(column, row.kind), type: column.type, value }];
  });
}

/** Quoted where a comma, a quote or a line's end would be misread. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""').replaceAll(/[\r\n]+/g, ' ')}"` : text;
}
