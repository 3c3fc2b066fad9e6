// Loaded into Limpet by NODE_OPTIONS: while the file BENCH_BLOCK is there, the event loop of each worker stands still for
// 30 ms every 200 ms. It sleeps, so that only what waits for the event loop is late, and no CPU is taken from anybody.
import { existsSync } from 'node:fs';

const everyMs = 200;
const forMs = 30;
const flag = process.env.BENCH_BLOCK;

// node:cluster gives its workers a number.
if (flag !== undefined && process.env.NODE_UNIQUE_ID !== undefined) {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => {
    if (existsSync(flag)) Atomics.wait(nothing, 0, 0, forMs);
  }, everyMs).unref();
}
