/**
 * Loaded into a Limpet by `NODE_OPTIONS=--import`, so that a test can hold its event loop: SIGWINCH burns CPU for 2 s,
 * SIGURG sleeps as long, as a call does that blocks.
 */
import cluster from 'node:cluster';

const HELD_MS = 2000;

if (cluster.isPrimary) {
  process.on('SIGWINCH', () => {
    const endMs = performance.now() + HELD_MS;
    while (performance.now() < endMs);
  });
  process.on('SIGURG', () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HELD_MS);
  });
}
