import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { within } from '../../kit/condition.ts';
import { serve } from './http_server.ts';

/** What promtool says of a text, and whether it is content. */
async function promtool(text: string): Promise<{ readonly code: number; readonly said: string }> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: 'pipe' });
  let said = '';
  for (const out of [child.stdout, child.stderr]) out.on('data', chunk => (said += String(chunk)));
  child.stdin.end(text);
  const [code] = await within(once(child, 'close'), { what: 'the end of promtool' });
  return { code, said };
}

test('promtool finds nothing wrong with /metrics', async () => {
  await using served = await serve();
  const { text, headers } = await served.ask('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await promtool(text)).toEqual({ code: 0, said: '' });
});

test('promtool would find something', async () => {
  expect((await promtool('# TYPE x_total gauge\nx_total 1\n')).code).not.toBe(0);
});

test('Prometheus asks for OpenMetrics and gets it', async () => {
  await using served = await serve();
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1';
  const { text, headers } = await served.ask('/metrics', { headers: { Accept: accept } });
  expect(headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(text.endsWith('# EOF\n')).toBe(true);
});
