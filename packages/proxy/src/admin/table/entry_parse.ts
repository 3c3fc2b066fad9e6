import type { PutEntry } from '@limpet/state';
import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import { CSV_COLUMNS } from './entry_text.ts';
import { isTableKey } from './table_key.ts';

export type ParsedLine =
  | { readonly kind: 'entry'; readonly entry: PutEntry }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'bad'; readonly why: string };

/** What an exported object says besides (state, owner, epoch) is of no use to another table. */
const lineSchema = z.object({
  key: z.string(),
  server: z.string(),
  ttl_ms: z.number().nonnegative().nullish(),
});
const WHOLE = /^\d{1,15}$/;
const HEADER = CSV_COLUMNS.join(',');

/**
 * Reads lines as they were exported: NDJSON, or CSV whose quoted cells hold no line ends (no key does). `servers`: those
 * that an entry may name.
 */
export function lineParser(format: 'json' | 'csv', servers: readonly string[]): (line: string) => ParsedLine {
  const known = new Set(servers);
  const parse = format === 'json' ? parseJson : parseCells;
  return line => {
    if (line.trim() === '' || (format === 'csv' && line === HEADER)) return { kind: 'nothing' };
    const parsed = parse(line);
    if (parsed.kind !== 'entry') return parsed;
    const { key, server } = parsed.entry;
    if (!isTableKey(key)) return bad('the key is not one of a stick table (printable, 128 bytes at most)');
    return known.has(server) ? parsed : bad(`the backend has no server ${JSON.stringify(server.slice(0, 64))}`);
  };
}

function parseJson(line: string): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return bad('not JSON');
  }
  const result = lineSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    return bad(`${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'not an entry'}`);
  }
  const { key, server, ttl_ms: ttlMs } = result.data;
  return { kind: 'entry', entry: { key, server, ttlMs: ttlMs ?? null } };
}

function parseCells(line: string): ParsedLine {
  const cells = line.includes('"') ? quotedCells(line) : line.split(',');
  if (cells === null) return bad('not CSV: a quote is not where RFC 4180 allows it');
  const [key, server, , ttl = ''] = cells;
  if (key === undefined || server === undefined) return bad(`needs the columns ${HEADER}`);
  if (ttl !== '' && !WHOLE.test(ttl)) return bad('ttl_ms is not a number of milliseconds');
  return {
    kind: 'entry',
    entry: { key: unguard(key), server: unguard(server), ttlMs: ttl === '' ? null : Number(ttl) },
  };
}

function quotedCells(line: string): readonly string[] | null {
  try {
    const rows: unknown = parseCsv(line);
    return Array.isArray(rows) && rows.length === 1 ? (rows[0] as string[]) : null;
  } catch {
    return null;
  }
}

/** The mark that keeps spreadsheets from taking a cell for a formula. */
function unguard(cell: string): string {
  return cell.startsWith("'") ? cell.slice(1) : cell;
}

function bad(why: string): ParsedLine {
  return { kind: 'bad', why };
}
