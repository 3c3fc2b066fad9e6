import { describe, expect, test } from 'vitest';
import { clashes, readBind, readServer } from '../../../src/config/address.ts';

describe('binds', () => {
  test.each([
    ['*:1883', '0.0.0.0', 1883],
    [':1883', '0.0.0.0', 1883],
    ['*:0', '0.0.0.0', 0],
    ['127.0.0.1:1883', '127.0.0.1', 1883],
    ['[::]:1883', '::', 1883],
    [':::1883', '::', 1883],
    ['[2001:db8::1]:8883', '2001:db8::1', 8883],
    ['[fe80::1%eth0]:1883', 'fe80::1%eth0', 1883],
    ['localhost:1883', 'localhost', 1883],
  ])('%s', (written, host, port) => {
    expect(readBind(written)).toEqual({ ok: true, value: { host, port } });
  });

  test.each([
    '',
    '*',
    ':',
    '*:',
    '1883',
    'localhost',
    '*:65536',
    '*:-1',
    '*:1883-1885',
    '::1:1883',
    '[::1',
    '[10.0.0.1]:1883',
    'a b:1883',
    '/run/limpet.sock',
    'unix@/run/limpet.sock',
    1883,
  ])('%s is refused, with examples of what is right', written => {
    expect(readBind(written)).toMatchObject({ ok: false, remedy: expect.stringContaining('*:1883') });
  });
});

describe('servers', () => {
  test.each([
    ['10.0.0.1:1884', '10.0.0.1', 1884],
    ['10.0.0.1', '10.0.0.1', null],
    ['broker1.example.com', 'broker1.example.com', null],
    ['my_broker-1:1883', 'my_broker-1', 1883],
    ['[2001:db8::1]', '2001:db8::1', null],
    ['[2001:db8::1]:1885', '2001:db8::1', 1885],
  ])('%s', (written, host, port) => {
    expect(readServer(written)).toEqual({ ok: true, value: { host, port } });
  });

  test.each([
    '',
    '10.0.0.300',
    '10.0.0.1:0',
    '10.0.0.1:x',
    '2001:db8::1',
    '-a:1883',
    'a..b',
    '*:1883',
    '0.0.0.0:1883',
    '[::]',
    '::',
  ])('%s is refused', written => {
    expect(readServer(written).ok).toBe(false);
  });
});

test.each([
  ['*:1883', '127.0.0.1:1883', true],
  ['127.0.0.1:1883', '*:1883', true],
  ['*:1883', 'localhost:1883', true],
  ['*:1883', '[::]:1883', true],
  ['[::]:1883', '127.0.0.1:1883', true],
  ['[::1]:1883', '[0:0:0:0:0:0:0:1]:1883', true],
  ['[::ffff:127.0.0.1]:1883', '127.0.0.1:1883', true],
  ['*:1883', '[::1]:1883', false],
  ['127.0.0.1:1883', '127.0.0.2:1883', false],
  ['*:1883', '*:1884', false],
  ['*:0', '*:0', false],
])('%s and %s want one port: %s', (first, second, answer) => {
  const [a, b] = [readBind(first), readBind(second)];
  expect(a.ok && b.ok && clashes(a.value, b.value)).toBe(answer);
});
