import type { MessagePort } from 'node:worker_threads';
import type { PutEntry, PutResult } from '@limpet/state';
import type { ImportReport } from '../control.ts';
import { lineParser } from './entry_parse.ts';
import { LineSplitter } from './line_splitter.ts';
import { withRedis } from './redis_source.ts';
import { CREDITS, type FromImport, type ImportTask, type ToImport } from './task.ts';

/** Entries that are written at once: in Redis by one pipeline, so that of two lines of one key the last one counts. */
const BATCH = 128;
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

/** Entries and the lines that they come from. */
type Batch = readonly { readonly line: number; readonly entry: PutEntry }[];

/** Counts lines and what became of them. */
class Tally {
  readonly #parse: ReturnType<typeof lineParser>;
  readonly #put: Put;
  readonly #errors: string[] = [];
  #batch: Batch[number][] = [];
  /** Batches that are being written, oldest first: a few at once, so that none waits for the answer to the one before. */
  readonly #underWay: Promise<void>[] = [];
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
    await Promise.all(this.#underWay);
    return { read: this.#read, written: this.#written, kept: this.#kept, errors: this.#errors };
  }

  async #write(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0) return;
    const written = this.#put(batch.map(({ entry }) => entry)).then(results => this.#count(batch, results));
    // It is awaited when its turn comes.
    written.catch(() => {});
    this.#underWay.push(written);
    if (this.#underWay.length >= CREDITS) await this.#underWay.shift();
  }

  #count(batch: Batch, results: readonly PutResult[]): void {
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
  /** Those who wait for the results of a batch, in their order. */
  readonly #results: ((results: readonly PutResult[]) => void)[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (said: ToImport) => {
      if (said[0] === 'results') this.#results.shift()?.(said[1]);
      else this.#add(said[0] === 'chunk' ? said[1] : null);
    });
    port.on('close', () => {
      this.isBroken = true;
      for (const answer of this.#results.splice(0)) answer([]);
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
      this.#results.push(resolve);
    });
    this.#port.postMessage(['put', entries] satisfies FromImport);
    return answer;
  }

  #add(chunk: Uint8Array | null): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }
}
