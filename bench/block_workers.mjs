// Loaded into Limpet by NODE_OPTIONS: while the file BENCH_BLOCK is there, the event loop of each worker stands still for
// 30 ms every 200 ms. It sleeps, so that only what waits for the event loop is late, and no CPU is taken from anybody.
// Each time adds a byte to `blocked-PID` beside that file: a benchmark believes only what has happened (`blocks.ts`).
import cluster from 'node:cluster';
import { appendFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const everyMs = 200;
const forMs = 30;
const flag = process.env.BENCH_BLOCK;

// Not by NODE_UNIQUE_ID: node:cluster removes that from the environment before this is loaded.
if (flag !== undefined && cluster.isWorker) {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const told = join(dirname(flag), `blocked-${process.pid}`);
  setInterval(() => {
    if (existsSync(flag) && Atomics.wait(nothing, 0, 0, forMs) === 'timed-out') appendFileSync(told, '.');
  }, everyMs).unref();
}
