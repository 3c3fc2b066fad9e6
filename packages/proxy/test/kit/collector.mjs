/**
 * Preloaded into a program under test (`--import`): at SIGWINCH it collects its garbage, all of it. The program itself never
 * asks V8 for that, and when V8 does it by itself is chance.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  process.on('SIGWINCH', () => collect());
}
