import { describe, expect, test } from 'vitest';
import { frame, syslogMessage } from '../../../src/log/syslog_message.ts';

const AT = new Date('2026-11-20T12:04:43.123Z');
const SOURCE = { facility: 'daemon', tag: 'limpet', hostname: 'lb1.example.com', pid: 4711 };
/** The header of RFC 5424, 6, as its grammar has it. */
const HEADER =
  /^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} - (.*)$/s;

test('a message is a header and the line', () => {
  expect(syslogMessage(SOURCE, 'info', 'connect', AT, '{"event":"connect"}\n')).toBe(
    '<30>1 2026-11-20T12:04:43.123Z lb1.example.com limpet 4711 connect - {"event":"connect"}',
  );
});

test.each([
  ['kern', 'error', 3],
  ['daemon', 'debug', 31],
  ['daemon', 'warn', 28],
  ['local0', 'info', 134],
  ['local7', 'error', 187],
] as const)('%s and %s are the priority %i', (facility, level, priority) => {
  const message = syslogMessage({ ...SOURCE, facility }, level, 'x', AT, 'y');
  expect(HEADER.exec(message)?.[1]).toBe(String(priority));
});

test.each([
  ['spaces and letters that are not ASCII', 'höst name', 'hstname'],
  ['nothing', '', '-'],
  ['too much', 'x'.repeat(300), 'x'.repeat(255)],
])('a host name of %s still makes a header', (_, hostname, shown) => {
  const message = syslogMessage({ ...SOURCE, hostname }, 'info', 'e'.repeat(40), AT, 'text');
  expect(HEADER.exec(message)?.[2]).toBe('text');
  expect(message.split(' ')[2]).toBe(shown);
});

test('P11: a line that has line ends in it stays one message', () => {
  expect(syslogMessage(SOURCE, 'info', 'x', AT, 'one\n<0>1 two\n')).not.toContain('\n');
});

describe('frames', () => {
  test('TCP counts octets, not characters', () => {
    expect(frame('<30>1 é🐚', 'octets')).toBe('12 <30>1 é🐚');
  });

  test('a stream on a unix socket has lines', () => {
    expect(frame('<30>1 x', 'lines')).toBe('<30>1 x\n');
  });
});
