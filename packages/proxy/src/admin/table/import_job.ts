import type { MessagePort } from 'node:worker_threads';
import type { PutEntry, PutResult } from '@limpet/state';
import type { ImportReport } from '../control.ts';
import { lineParser } from './entry_parse.ts';
import { LineSplitter } from './line_splitter.ts';
import { withRedis } from './redis_source.ts';
import type { FromImport, ImportTask, ToImport } from './task.ts';

/** Entries that are written at once. */
const BATCH = 512;
const ERRORS_TOLD = 100;

type Put = (entries: readonly PutEntry[]) => Promise<readonly PutResult[]>;

/** Reads lines from the port of the task and writes their entries, batch by batch. */
export async function importTable(task: ImportTask): Promise<ImportReport> {
  if (task.source !== null) return await withRedis(task.source, table => run(task, new Inbox(task.port), table.put));
  const inbox = new Inbox(task.port);
  return await run(task, inbox, entries => inbox.put(entries));
}

async function run(task: ImportTask, inbox: Inbox, put: Put): Promise<ImportReport> {
  const tally = new Tally(task, put);
  const splitter = new LineSplitter();
  for (let chunk = await inbox.take(); chunk !== null; chunk = await inbox.take()) {
    for (const line of splitter.feed(chunk)) await tally.line(line);
    inbox.more();
  }
  // A source that broke off may have done so within a line.
  if (!inbox.isBroken) for (const line of splitter.end()) await tally.line(line);
  return await tally.end();
}

/** Counts lines and what became of them. */
class Tally {
  readonly #parse: ReturnType<typeof lineParser>;
  readonly #put: Put;
  readonly #errors: string[] = [];
  #batch: { readonly line: number; readonly entry: PutEntry }[] = [];
  #line = 0;
  #read = 0;
  #written = 0;
  #kept = 0;

  constructor({ format, servers }: ImportTask, put: Put) {
    this.#parse = lineParser(format, servers);
    this.#put = put;
  }

  async line(text: string | null): Promise<void> {
    this.#line++;
    const parsed = text === null ? ({ kind: 'bad', why: 'too long' } as const) : this.#parse(text);
    if (parsed.kind === 'nothing') return;
    this.#read++;
    if (parsed.kind === 'bad') this.#error(this.#line, parsed.why);
    else if (this.#batch.push({ line: this.#line, entry: parsed.entry }) >= BATCH) await this.#write();
  }

  async end(): Promise<ImportReport> {
    await this.#write();
    return { read: this.#read, written: this.#written, kept: this.#kept, errors: this.#errors };
  }

  async #write(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0) return;
    const results = await this.#put(batch.map(({ entry }) => entry));
    results.forEach((result, index) => {
      if (result === 'written') this.#written++;
      else if (result === 'kept') this.#kept++;
      else this.#error(batch[index]?.line ?? 0, 'the table is full');
    });
  }

  #error(line: number, why: string): void {
    if (this.#errors.length < ERRORS_TOLD) this.#errors.push(`line ${line}: ${why}`);
  }
}

/** What comes by the port: chunks of text, and the results of what was put into the primary's table. */
class Inbox {
  /** The primary has gone before the end. */
  isBroken = false;
  readonly #port: MessagePort;
  readonly #chunks: (Uint8Array | null)[] = [];
  #wake: (() => void) | null = null;
  #results: ((results: readonly PutResult[]) => void) | null = null;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (said: ToImport) => {
      if (said[0] === 'results') this.#results?.(said[1]);
      else this.#add(said[0] === 'chunk' ? said[1] : null);
    });
    port.on('close', () => {
      this.isBroken = true;
      this.#results?.([]);
      this.#add(null);
    });
  }

  async take(): Promise<Uint8Array | null> {
    while (this.#chunks.length === 0) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    return this.#chunks.shift() ?? null;
  }

  more(): void {
    this.#port.postMessage(['more'] satisfies FromImport);
  }

  put(entries: readonly PutEntry[]): Promise<readonly PutResult[]> {
    const answer = new Promise<readonly PutResult[]>(resolve => {
      this.#results = resolve;
    });
    this.#port.postMessage(['put', entries] satisfies FromImport);
    return answer;
  }

  #add(chunk: Uint8Array | null): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }
}
