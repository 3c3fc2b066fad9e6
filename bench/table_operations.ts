/**
 * The conductor's side of `table_load.ts`: one table, filled and worked on in a process of its own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { within } from '../packages/proxy/test/kit/condition.ts';
import { type RedisServer, startRedis } from '../packages/proxy/test/kit/redis.ts';
import { cpuUsOfTree } from './cpu.ts';
import type { TableLoad, TableReport } from './table_load.ts';

export type TableKind = 'memory' | 'redis';

export interface TableRun extends TableReport {
  readonly bytesPerEntry: number;
  /** CPU of redis-server for each call, all operations together; null: there is none. */
  readonly serverCpuUsPerCall: number | null;
}

/** A million entries at ten thousand calls a second and five operations: never longer. */
const patienceMs = 600_000;

/** An empty table, all operations, and its end. Redis listens on TCP of 127.0.0.1, as most do. */
export async function runTable(kind: TableKind, entries: number, slice: number): Promise<TableRun> {
  if (kind === 'memory') {
    const report = await loaded({ redisUrl: null, entries, slice });
    return { ...report, bytesPerEntry: report.bytes / entries, serverCpuUsPerCall: null };
  }
  await using redis = await startRedis();
  const bytesBefore = await usedMemory(redis);
  const cpuBefore = cpuUsOfTree(redis.process.pid);
  const report = await loaded({ redisUrl: redis.url, entries, slice });
  const cpuUs = cpuUsOfTree(redis.process.pid) - cpuBefore;
  const calls = report.samples.reduce((sum, sample) => sum + sample.calls, 0);
  // The entries cool now; they are of the same size as the pinned ones.
  const bytesPerEntry = ((await usedMemory(redis)) - bytesBefore) / entries;
  return { ...report, bytesPerEntry, serverCpuUsPerCall: cpuUs / calls };
}

async function loaded(load: TableLoad): Promise<TableReport> {
  const file = new URL('table_load.ts', import.meta.url);
  const child = fork(file, { execArgv: ['--import', 'tsx', '--expose-gc'] });
  try {
    const answer = Promise.race([once(child, 'message'), died(child)]);
    child.send(load);
    const [report] = await within(answer, { what: 'the report of a table', timeoutMs: patienceMs });
    return report as TableReport;
  } finally {
    child.kill('SIGKILL');
  }
}

async function died(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the process of the table ended (${code}) before it was done`);
}

async function usedMemory(redis: RedisServer): Promise<number> {
  const bytes = /^used_memory:(\d+)/m.exec(await redis.cli(['info', 'memory']))?.[1];
  if (bytes === undefined) throw new Error('redis-server does not say what memory it uses');
  return Number(bytes);
}
