// Loaded into Limpet by NODE_OPTIONS: whenever the text of the file BENCH_COLLECT changes, each process collects its whole
// heap, and writes that text to `collected-PID` beside the file.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const lookEveryMs = 200;
const flag = process.env.BENCH_COLLECT;

if (flag !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const told = join(dirname(flag), `collected-${process.pid}`);
  let done = '';
  setInterval(() => {
    const wanted = read();
    if (wanted === '' || wanted === done) return;
    done = wanted;
    // What the first one finalises is free after the second.
    collect();
    collect();
    writeFileSync(told, done);
  }, lookEveryMs).unref();
}

function read() {
  try {
    return readFileSync(flag, 'utf8');
  } catch {
    return '';
  }
}
