/**
 * Preloaded into a program under test (`--import`): writes four times a second what its event loop did, to
 * `TURNS_DIR/PID`, a JSON object a line. `longestMs`: the longest time between two turns. `heldMs`: the same without the
 * part of it in which the thread was ready to run and this machine gave its processors to others (`schedstat`, its second
 * number), so what the program itself is to blame for, garbage collection included.
 */
import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const TOLD_MS = 250;

if (isMainThread && process.env.TURNS_DIR) watch(`${process.env.TURNS_DIR}/${process.pid}`);

function watch(path) {
  const bytes = Buffer.alloc(128);
  const schedstat = openSync('/proc/thread-self/schedstat');
  const waitedMs = () => Number(bytes.toString('latin1', 0, readSync(schedstat, bytes, 0, 128, 0)).split(' ')[1]) / 1e6;
  let last = { ms: performance.now(), waitedMs: waitedMs() };
  let toldMs = last.ms;
  let heldMs = 0;
  let longestMs = 0;
  setInterval(() => {
    const now = { ms: performance.now(), waitedMs: waitedMs() };
    const tookMs = now.ms - last.ms;
    longestMs = Math.max(longestMs, tookMs);
    heldMs = Math.max(heldMs, tookMs - (now.waitedMs - last.waitedMs));
    last = now;
    if (now.ms - toldMs < TOLD_MS) return;
    appendFileSync(path, `${JSON.stringify({ atMs: Date.now(), heldMs, longestMs })}\n`);
    [toldMs, heldMs, longestMs] = [now.ms, 0, 0];
  }, 1).unref();
  process.once('exit', () => closeSync(schedstat));
}
