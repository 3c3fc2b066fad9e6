/**
 * Preloaded into a program under test (`--import`): writes four times a second what its event loop did, to
 * `TURNS_DIR/PID`, a JSON object a line. `longestMs`: the longest time between two turns. `workedMs`: the most CPU time that
 * the event loop's thread used between two turns, garbage collection included: what the program itself is to blame for,
 * however much this machine gives its processors to others (`schedstat`, its first number).
 */
import { appendFileSync, openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const TOLD_MS = 250;

if (isMainThread && process.env.TURNS_DIR) watch(`${process.env.TURNS_DIR}/${process.pid}`);

function watch(path) {
  const bytes = Buffer.alloc(128);
  const schedstat = openSync('/proc/thread-self/schedstat');
  const workedMs = () => Number(bytes.toString('latin1', 0, readSync(schedstat, bytes, 0, 128, 0)).split(' ')[0]) / 1e6;
  let last = { ms: performance.now(), workedMs: workedMs() };
  let toldMs = last.ms;
  let most = { longestMs: 0, workedMs: 0 };
  setInterval(() => {
    const now = { ms: performance.now(), workedMs: workedMs() };
    most = {
      longestMs: Math.max(most.longestMs, now.ms - last.ms),
      workedMs: Math.max(most.workedMs, now.workedMs - last.workedMs),
    };
    last = now;
    if (now.ms - toldMs < TOLD_MS) return;
    appendFileSync(path, `${JSON.stringify({ atMs: Date.now(), ...most })}\n`);
    toldMs = now.ms;
    most = { longestMs: 0, workedMs: 0 };
  }, 1).unref();
}
