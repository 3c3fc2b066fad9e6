/**
 * What the primary and a table thread say to each other. A walk through a table of the primary's own heap brings the
 * entries as raw slices; one through Redis has its own connection in the thread.
 */

import type { MessagePort } from 'node:worker_threads';
import type { PutEntry, PutResult, StickTimes, TableSlice } from '@limpet/state';
import type { RedisConfig } from '../../config/resolved.ts';
import type { EntryFilter, ExportFormat, ImportReport } from '../control.ts';

/** A table in Redis. */
export interface RedisSource {
  readonly redis: RedisConfig;
  readonly backend: string;
  readonly times: StickTimes;
}

export interface ExportTask {
  readonly kind: 'export';
  /** Null: raw slices come by the port, else the cursor to begin at. */
  readonly source: RedisSource | null;
  readonly format: ExportFormat;
  readonly filter: EntryFilter;
  /** In the order of the configuration: `server_id` counts from 1. */
  readonly servers: readonly string[];
  /** What is left of an entry whose client is there. */
  readonly expireMs: number;
  readonly port: MessagePort;
}

export interface ImportTask {
  readonly kind: 'import';
  /** Null: parsed entries go back by the port. */
  readonly source: RedisSource | null;
  readonly format: 'json' | 'csv';
  readonly servers: readonly string[];
  readonly port: MessagePort;
}

export type RedisTask =
  | {
      readonly kind: 'page';
      readonly source: RedisSource;
      readonly filter: EntryFilter;
      readonly cursor: string | null;
      readonly limit: number;
    }
  | {
      readonly kind: 'clear';
      readonly source: RedisSource;
      readonly filter: EntryFilter;
      readonly cursor: string | null;
    }
  | { readonly kind: 'count'; readonly source: RedisSource };

export type TableTask = ExportTask | ImportTask | RedisTask;

/** What each task answers. */
export interface TaskValues {
  readonly export: null;
  readonly import: ImportReport;
  readonly page: TableSlice;
  readonly clear: number;
  readonly count: number;
}

export type TaskResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly what: string; readonly remedy: string };

/** From the thread of an export. `ready`: it waits for entries. `chunk`: bytes of text. `spare`: a raw slice was read. */
export type FromExport =
  | readonly ['ready']
  | readonly ['chunk', buffer: ArrayBuffer, bytes: number]
  | readonly ['spare', ArrayBuffer]
  | readonly ['end'];
/**
 * To it. `from`: go on at that cursor of Redis. `more`: a chunk was passed on, here is its buffer. `raw`: so many bytes of
 * entries, and names new in them.
 */
export type ToExport =
  | readonly ['from', cursor: string | null]
  | readonly ['more', ArrayBuffer]
  | readonly ['raw', buffer: ArrayBuffer, bytes: number, names: readonly string[]]
  | readonly ['rawEnd'];

/** From the thread of an import: `more`: a chunk was read; `put`: entries for the table of the primary. */
export type FromImport = readonly ['more'] | readonly ['put', readonly PutEntry[]];
/** To it. */
export type ToImport = readonly ['chunk', Uint8Array] | readonly ['end'] | readonly ['results', readonly PutResult[]];

/** Chunks under way at most, each way. */
export const CREDITS = 4;
export const CHUNK_BYTES = 65_536;
