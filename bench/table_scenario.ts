/**
 * `table`: what an entry of the stick table takes, and what each operation costs, with a million of them.
 */
import type { Measure, Row } from './measure.ts';
import type { Options } from './options.ts';
import type { Scenario } from './scenarios.ts';
import type { OperationSample } from './table_load.ts';
import { type OperationName, operationNames } from './table_names.ts';
import { runTable, type TableKind, type TableRun } from './table_operations.ts';

const entries = 1_000_000;
const smokeEntries = 2_000;
/** Samples of each operation. */
const slices = 10;
const kinds: readonly TableKind[] = ['memory', 'redis'];

const meanings: Readonly<Record<OperationName, string>> = {
  'claim, new': 'A client that nobody knows gets a server; each sample adds a tenth of all entries to the table.',
  confirm: 'Its broker has accepted it: the entry is pinned.',
  'claim, held': 'A client comes back and its entry names its server.',
  renew: 'Entries of live sessions are kept, in batches of 128; a call is one entry.',
  release: 'The client has left: its entry starts to cool.',
};

export const tableScenario: Scenario = { rows: measureTables };

async function measureTables({ isSmoke }: Options): Promise<Row[]> {
  const count = isSmoke ? smokeEntries : entries;
  const runs: Record<TableKind, TableRun> = {
    memory: await runTable('memory', count, count / slices),
    redis: await runTable('redis', count, count / slices),
  };
  const serverUs = runs.redis.serverCpuUsPerCall ?? 0;
  const notes = [
    'memory: in its process, as the primary of the proxy holds it.',
    `redis: through the adapter over TCP, 128 calls under way; besides, redis-server takes ${serverUs.toFixed(1)} µs of CPU a call.`,
  ];
  return [bytesRow(runs, count), ...operationNames.map(operation => operationRow(runs, operation, count, notes))];
}

const common = { scenario: 'table', by: 'value', base: '', limits: {} } as const;

function bytesRow(runs: Readonly<Record<TableKind, TableRun>>, count: number): Row {
  const measureOf = ({ bytesPerEntry, wrong }: TableRun): Measure => ({
    figures: { bytes: bytesPerEntry },
    lost: wrong,
  });
  return {
    ...common,
    title: `${count.toLocaleString('en-US')} entries`,
    meaning: 'Ids of 24 characters, all pinned: the memory that the table grew by, for each entry.',
    unit: 'entry',
    judged: 'bytes',
    shown: [],
    atLeast: false,
    notes: [
      "memory: JavaScript's heap, after a collection, with the keys.",
      'redis: `used_memory` of redis-server; keys and values as in service, with their time to live.',
    ],
    measures: Object.fromEntries(kinds.map(kind => [kind, [measureOf(runs[kind])]])),
  };
}

function operationRow(
  runs: Readonly<Record<TableKind, TableRun>>,
  operation: OperationName,
  count: number,
  notes: readonly string[],
): Row {
  const measuresOf = ({ samples }: TableRun): Measure[] =>
    samples.filter(sample => sample.operation === operation).map(measureOfSample);
  return {
    ...common,
    title: `${operation}, at ${count.toLocaleString('en-US')} entries`,
    meaning: meanings[operation],
    unit: 'call',
    judged: 'perS',
    shown: ['cpuUs'],
    atLeast: true,
    notes: operation === 'claim, new' ? notes : [],
    measures: Object.fromEntries(kinds.map(kind => [kind, measuresOf(runs[kind])])),
  };
}

function measureOfSample({ calls, elapsedS, cpuUs }: OperationSample): Measure {
  return { figures: { perS: calls / elapsedS, cpuUs: cpuUs / calls }, lost: [] };
}
