import { expect, test } from 'vitest';
import { jsonLine } from '../../../src/log/json_line.ts';

const HEAD = '{"level":"info","event":"connect"';

test('fields keep their order, and the message is the last one', () => {
  const line = jsonLine(
    HEAD,
    { session: 1795222859389, server: 'emqx1', connect_ms: 0.5, degraded: true },
    'a "word"\n',
  );
  expect(line).toBe(
    '{"level":"info","event":"connect","session":1795222859389,"server":"emqx1","connect_ms":0.5,"degraded":true,"msg":"a \\"word\\"\\n"}\n',
  );
});

test('what is undefined is not written; null is', () => {
  expect(jsonLine(HEAD, { sni: undefined, code: null }, undefined)).toBe(`${HEAD},"code":null}\n`);
});

test('a line without fields', () => {
  expect(jsonLine(HEAD, {}, undefined)).toBe(`${HEAD}}\n`);
  expect(jsonLine(HEAD, { sni: undefined }, 'ready')).toBe(`${HEAD},"msg":"ready"}\n`);
});

test('whatever is in a text, the line is one line of JSON that says it', () => {
  const fields = { id: 'a"b\\c\n\u0000\u2028', half: '\ud800', not: Number.NaN };
  const line = jsonLine(HEAD, fields, undefined);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(JSON.parse(line)).toEqual({ level: 'info', event: 'connect', ...fields, not: null });
});
