import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogLevel } from '../../../src/config/resolved.ts';
import { createLog, type LogFields } from '../../../src/log.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limpet-log-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function linesOf(level: LogLevel, event: string, fields: LogFields, message?: string): Promise<string[]> {
  const path = join(folder, `${level}-${event}.log`);
  const log = createLog(
    { level, format: 'json', usernames: false, target: { kind: 'file', path }, sample: null },
    'lb "1"',
  );
  log.debug(event, fields, message);
  log.info(event, fields, message);
  log.error(event, fields, message);
  await log.flush();
  const text = readFileSync(path, 'utf8');
  return text
    .replaceAll(/"time":"[^"]+"/g, '"time":"T"')
    .replaceAll(`"event":"${event}"`, '"event":"E"')
    .split('\n');
}

/** Lines of clients are made without pino, and read as if they were not. */
test.each<[LogFields, string?]>([
  [{ client_id: 'a"b\\c\n\u0000\u2028', server: 'emqx1', connect_ms: 0.5, degraded: true }],
  [{ sni: undefined, code: null, not: Number.NaN }, 'a "word"'],
  [{}],
  [{}, 'ready'],
])('a line of a client is the line that others are: %j', async (fields, message) => {
  for (const level of ['debug', 'info', 'error'] as const) {
    const client = await linesOf(level, 'connect', fields, message);
    expect(client).toEqual(await linesOf(level, 'other', fields, message));
    expect(client).toHaveLength({ debug: 4, info: 3, error: 2 }[level]);
  }
});
