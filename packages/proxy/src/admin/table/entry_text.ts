import type { StickEntry } from '@limpet/state';
import { byteEscape, safeJson, withoutUnsafe } from '../../unsafe_text.ts';
import type { ExportFormat } from '../control.ts';

/** What an entry's line needs to know besides. */
export interface TextContext {
  /** In the order of the configuration. */
  readonly servers: readonly string[];
  readonly expireMs: number;
}

/** An entry as a line, with its end. */
export type EntryText = (entry: StickEntry) => string;

export const CSV_COLUMNS = ['key', 'server', 'state', 'ttl_ms', 'owner', 'epoch'] as const;

/** Begins each cell that a spreadsheet might take for a formula, and each that begins with it: so it can be taken off. */
const GUARDED = /^[=+\-@\t\r']/;
const QUOTED = /[",\r\n]/;
/** Printable ASCII, without space, `=` and backslash. */
const PLAIN_FIELD = /^[!-<>-[\]-~]*$/;

/** What stands before the first entry. */
export function exportHead(format: ExportFormat): string {
  return format === 'csv' ? `${CSV_COLUMNS.join(',')}\r\n` : '';
}

/** How entries are written in a format: HAProxy's `show table`, a JSON object a line, or RFC 4180. */
export function entryText(format: ExportFormat, { servers, expireMs }: TextContext): EntryText {
  if (format === 'json') return jsonLine;
  if (format === 'csv') return csvLine;
  const ids = new Map(servers.map((server, index) => [server, index + 1]));
  return entry => haproxyLine(entry, ids.get(entry.server) ?? 0, expireMs);
}

/** `use` is 1 while a session holds the entry; a server that is not configured has the id 0. */
function haproxyLine({ key, server, state, ttlMs }: StickEntry, id: number, expireMs: number): string {
  const use = state === 'cooling' ? 0 : 1;
  const address = `0x${addressOf(key).toString(16).padStart(8, '0')}`;
  const fields = `use=${use} exp=${Math.round(ttlMs ?? expireMs)} server_id=${id} server_key=${escapeBytes(server)}`;
  return `${address}: key=${escapeBytes(key)} ${fields}\n`;
}

function jsonLine({ key, server, state, ttlMs, owner, epoch }: StickEntry): string {
  return `${safeJson({ key, server, state, ttl_ms: ttlMs, owner, epoch })}\n`;
}

function csvLine({ key, server, state, ttlMs, owner, epoch }: StickEntry): string {
  return `${csvCell(key)},${csvCell(server)},${state},${ttlMs ?? ''},${csvCell(owner)},${epoch}\r\n`;
}

function csvCell(text: string): string {
  const guarded = GUARDED.test(text) ? `'${text}` : text;
  return QUOTED.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** Where HAProxy shows an entry's address in memory: FNV-1a of the key, the same in all listings. */
function addressOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * As HAProxy writes a key: a backslash before what parts fields (or a key could pass for other fields), and each byte of
 * what is not printable as `\xHH`: a line stays a line, and a terminal safe.
 */
function escapeBytes(text: string): string {
  if (PLAIN_FIELD.test(text)) return text;
  return withoutUnsafe(text.replace(/[ =\\]/g, '\\$&'), byteEscape);
}
