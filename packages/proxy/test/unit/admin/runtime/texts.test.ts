import { describe, expect, it } from 'vitest';
import { age } from '../../../../src/admin/runtime/age.ts';
import { escaped } from '../../../../src/admin/runtime/escape.ts';
import { readSessionId, writeSessionId } from '../../../../src/admin/runtime/session_id.ts';
import { errorsText, sessionDetails, sessionLine } from '../../../../src/admin/runtime/session_text.ts';
import { session } from './facts.ts';

describe('text of clients', () => {
  it.each([
    ['dev-1', 'dev-1'],
    ['Gerät 7', 'Gerät 7'],
    ['a\nb\u001b[31m', 'a\\x0ab\\x1b[31m'],
    ['\u202eevil', '\\xe2\\x80\\xaeevil'],
    ['\\x41', '\\\\x41'],
    ['a\u200bb\u2061\u00ad', 'a\\xe2\\x80\\x8bb\\xe2\\x81\\xa1\\xc2\\xad'],
    ['\u3164\u{e0041}', '\\xe3\\x85\\xa4\\xf3\\xa0\\x81\\x81'],
  ])('%j is %j', (text, line) => {
    expect(escaped(text)).toBe(line);
  });
});

describe('a session id', () => {
  it.each([
    ['lb1/2', 1_795_182_039_534, '0x201a1f92e5deea'],
    ['lb1/17', 5, '0x11000000000005'],
  ])('of %s and %i', (worker, id) => {
    const text = writeSessionId(worker, id);
    expect(text).toMatch(/^0x[0-9a-f]{13,}$/);
    expect(readSessionId(text)).toEqual({ worker: Number(worker.split('/')[1]), id });
  });

  it.each(['', '0x1', 'all', '12', '0xzz01a1f92e5dee'])('%j is none', text => {
    expect(readSessionId(text)).toBeNull();
  });
});

it.each([
  [0, '0s'],
  [59_999, '59s'],
  [250_000, '4m10s'],
  [3_900_000, '1h5m'],
  [266_400_000, '3d2h'],
])('%i ms are %s', (ms, text) => {
  expect(age(ms)).toBe(text);
});

describe('show sess', () => {
  it('has the fields of HAProxy, and the id of the client last', () => {
    const facts = session({ clientId: 'x srv=emqx9\n' });
    const line = sessionLine(facts, facts.acceptedAtMs + 65_000);
    expect(line).toBe(
      `${writeSessionId('lb1/2', facts.id)}: proto=tcpv4 src=192.0.2.7:50123 fe=mqtt be=emqx srv=emqx1 ts=00 epoch=0 ` +
        'age=1m5s stage=relay rq=42 rp=17 rc=0 clientid=x srv=emqx9\\x0a\n',
    );
  });

  it('shows a session before its CONNECT', () => {
    const facts = session({ clientId: null, backend: null, server: null, stage: 'preread', client: '[2001:db8::1]:5' });
    const line = sessionLine(facts, facts.acceptedAtMs);
    expect(line).toContain('proto=tcpv6 src=[2001:db8::1]:5 fe=mqtt be=<NONE> srv=<none>');
    expect(line).not.toContain('clientid');
  });

  it('tells all in detail, in lines without an empty one', () => {
    const text = sessionDetails(session({ username: 'u\n\nx', tls: 'TLSv1.3' }), Date.now());
    expect(text).toContain('  backend=emqx server=emqx1 how=sticky conn_retries=0\n');
    expect(text).toContain('  username=u\\x0a\\x0ax\n');
    expect(text).not.toMatch(/\n\n/);
  });
});

it('shows malformed CONNECTs in hex, without an empty line', () => {
  const error = {
    atMs: Date.now(),
    worker: 'lb1/1',
    session: 3,
    frontend: 'mqtt',
    bind: '*:1883',
    client: '192.0.2.9:1',
    reason: 'malformed',
    detail: 'the protocol name is "M\u0007"',
    length: 40,
    head: '10260004'.repeat(5),
  };
  const text = errorsText([error], Date.now());
  expect(text).toMatch(/^Total events captured on \[\d\d\/\w{3}\/\d{4}:[\d:.]+\] : 1\n \n\[/);
  expect(text).toContain('  reason malformed: the protocol name is "M\\x07"\n');
  expect(text).toContain('  00016  10 26 00 04\n');
  expect(text).not.toMatch(/\n\n/);
});
