/**
 * A process of its own (`fork`) that fills a stick table with many entries and calls every operation of it: the memory
 * table as the primary holds it, or Redis through the adapter as a worker uses it. Always the built code.
 */
import {
  type Claimant,
  type ClaimRequest,
  connectRedis,
  MemoryTable,
  type Pin,
  redisTable,
} from '../packages/state/dist/index.js';
import { type OperationName, operationNames } from './table_names.ts';

export interface TableLoad {
  /** Null: the memory table. */
  readonly redisUrl: string | null;
  readonly entries: number;
  /** Each operation is called for all entries, in slices of so many; a slice is one sample. */
  readonly slice: number;
}

/** One slice of one operation; the time of making keys and requests is not in it. */
export interface OperationSample {
  readonly operation: OperationName;
  readonly calls: number;
  readonly elapsedS: number;
  /** Of this process: all of the memory table, the client's side of Redis. */
  readonly cpuUs: number;
}

export interface TableReport {
  readonly samples: readonly OperationSample[];
  /** Answers that were not what they had to be, by what they were. */
  readonly wrong: readonly string[];
  /** Heap and external memory that the entries take in this process, when all are pinned. Of Redis: not of interest. */
  readonly bytes: number;
}

/** All that an operation needs, in the table's own form; claims answer what they got. */
interface Calls {
  claim(requests: readonly ClaimRequest[]): Promise<readonly string[]>;
  confirm(pins: readonly Pin[]): Promise<void>;
  release(pins: readonly Pin[]): Promise<void>;
  /** In batches, as a worker renews. Answers the keys that have a successor elsewhere. */
  renew(pins: readonly Pin[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

const servers = ['emqx1', 'emqx2', 'emqx3'];
const owner = 'bench/1';
const times = { pendingMs: 600_000, expireMs: 1_800_000 };
/** As the proxy's own renewals. */
const renewBatch = 128;
/** Clients whose CONNECT is under way at a time. */
const inFlight = 128;
const patienceMs = 10_000;

/** Told by the parent: what to do. Answers with a TableReport and ends. */
process.once('message', (load: TableLoad) => {
  void run(load).then(report => process.send?.(report, () => process.disconnect()));
});

async function run(load: TableLoad): Promise<TableReport> {
  const before = heldBytes();
  const calls = load.redisUrl === null ? memoryCalls(load.entries) : await redisCalls(load.redisUrl);
  const samples: OperationSample[] = [];
  const wrong: string[] = [];
  let bytes = 0;
  for (const operation of operationNames) {
    for (let from = 0; from < load.entries; from += load.slice) {
      const count = Math.min(load.slice, load.entries - from);
      samples.push(await sample(calls, operation, from, count, wrong));
    }
    // Every entry is pinned, which is what a table is full of in service.
    if (operation === 'confirm') bytes = heldBytes() - before;
  }
  await calls.close();
  return { samples, wrong: [...new Set(wrong)], bytes };
}

async function sample(
  calls: Calls,
  operation: OperationName,
  from: number,
  count: number,
  wrong: string[],
): Promise<OperationSample> {
  const pins = Array.from({ length: count }, (_, index) => pinOf(from + index));
  const requests = pins.map(({ key, server, by }) => ({ key, usable: servers, candidate: server, by }));
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const answers = await call(calls, operation, pins, requests);
  const elapsedS = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const expected = operation === 'claim, new' ? 'claimed' : 'held';
  for (const answer of answers) if (answer !== expected) wrong.push(`${operation}: ${answer}`);
  return { operation, calls: count, elapsedS, cpuUs: user + system };
}

async function call(
  calls: Calls,
  operation: OperationName,
  pins: readonly Pin[],
  requests: readonly ClaimRequest[],
): Promise<readonly string[]> {
  if (operation === 'confirm') await calls.confirm(pins);
  else if (operation === 'release') await calls.release(pins);
  else if (operation === 'renew') return (await calls.renew(pins)).map(() => 'superseded');
  else return calls.claim(requests);
  return [];
}

/** A key of 24 characters in a piece of its own, as it comes out of a CONNECT: no part of a longer string, no rope. */
function pinOf(number: number): Pin {
  const key = Buffer.from(`device-${String(number).padStart(17, '0')}`).toString('latin1');
  return { key, server: servers[number % servers.length] ?? '', by: claimant(number) };
}

function claimant(number: number): Claimant {
  return { owner, epoch: number };
}

function memoryCalls(entries: number): Calls {
  const table = new MemoryTable({ size: entries, times });
  return {
    claim: async requests => requests.map(request => table.claim(request).kind),
    confirm: async pins => {
      for (const pin of pins) table.confirm(pin);
    },
    release: async pins => {
      for (const pin of pins) table.release(pin);
    },
    renew: async pins => batches(pins).flatMap(batch => table.renew(batch)),
    close: async () => undefined,
  };
}

async function redisCalls(url: string): Promise<Calls> {
  const target = { kind: 'server', url } as const;
  const connection = connectRedis({ target, prefix: 'limpet', timeoutMs: patienceMs, name: 'bench' });
  if (!(await connection.circuit.firstContact)) throw new Error(`${url} does not answer`);
  const table = redisTable(connection, 'emqx', times);
  return {
    claim: requests => flying(requests, async request => (await table.claim(request)).kind),
    confirm: async pins => void (await flying(pins, pin => table.confirm(pin))),
    release: async pins => void (await flying(pins, pin => table.release(pin))),
    renew: async pins => {
      const superseded: string[] = [];
      for (const batch of batches(pins)) superseded.push(...(await table.renew(batch)));
      return superseded;
    },
    close: () => connection.close(),
  };
}

/** Calls for each item, with a fixed number of them under way. */
async function flying<T, R>(items: readonly T[], action: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.values();
  const one = async (): Promise<void> => {
    for (const item of rest) results.push(await action(item));
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return results;
}

function batches(pins: readonly Pin[]): Pin[][] {
  const count = Math.ceil(pins.length / renewBatch);
  return Array.from({ length: count }, (_, index) => pins.slice(index * renewBatch, (index + 1) * renewBatch));
}

function heldBytes(): number {
  if (globalThis.gc === undefined) throw new Error('this process needs --expose-gc');
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
