import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { until, within } from '../kit/condition.ts';

const LINES = 200_000;
/** What the log keeps of some 40 MB of lines, what Node's heap takes meanwhile, and room for its garbage. */
const MOST_GROWTH_BYTES = 40 << 20;

/** Writes all lines at once, while nobody reads them; says on standard error how much it grew, and then waits. */
const PROGRAM = `
  const { createLog } = await import(process.argv[1]);
  const log = createLog({ level: 'info', format: 'json', usernames: false, target: { kind: 'stdout' }, sample: null }, 'w');
  const before = process.memoryUsage.rss();
  for (let round = 0; round < 200; round += 1) {
    for (let at = 0; at < ${LINES / 200}; at += 1) log.info('line', { at, text: 'x'.repeat(150) });
    await new Promise(resolve => setImmediate(resolve));
  }
  process.stderr.write(process.memoryUsage.rss() - before + '\\n');
  process.stdin.resume().on('end', () => { void log.flush().then(() => process.exit(0)); });
`;

test('P10: a log that nobody reads costs bounded memory; whoever reads it again is told how many lines are lost', async () => {
  const module = new URL('../../dist/log.js', import.meta.url);
  const args = ['--input-type=module', '-e', PROGRAM, fileURLToPath(module)];
  const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } });
  try {
    const [grown] = await within(once(child.stderr, 'data'), { what: 'the end of the writing', timeoutMs: 25_000 });
    expect(Number(grown)).toBeLessThan(MOST_GROWTH_BYTES);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text;
    });
    await until(() => output.includes('log_dropped'), { what: 'a word about the lost lines' });
    child.stdin.end();
    await within(once(child.stdout, 'end'), { what: 'the end of the log' });
    const lines = output.trimEnd().split('\n');
    const events = lines.map(line => JSON.parse(line) as { event: string; lines?: number });
    const dropped = events.flatMap(({ event, lines }) => (event === 'log_dropped' ? (lines ?? 0) : []));
    const written = events.filter(({ event }) => event === 'line').length;
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(LINES);
    expect(written + dropped.reduce((sum, one) => sum + one, 0)).toBe(LINES);
  } finally {
    child.kill('SIGKILL');
  }
});
