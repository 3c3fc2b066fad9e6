import { parser } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import type { CheckConfig, ProbeConfig, ServerConfig } from '../../../src/config/resolved.ts';
import { disproves } from '../../../src/health/probe.ts';
import { judgeStatus } from '../../../src/health/probe_http.ts';
import { checkConnect, judgeConnack } from '../../../src/health/probe_mqtt.ts';

const connack = (...bytes: readonly number[]): Buffer => Buffer.from(bytes);

describe('CONNACK', () => {
  test.each([
    [0, true, 'L7OK', ''],
    [1, true, 'L7OK', 'unacceptable protocol version'],
    [2, true, 'L7OK', 'identifier rejected'],
    [3, false, 'L7STS', 'server unavailable'],
    [4, true, 'L7OK', 'bad user name or password'],
    [5, true, 'L7OK', 'not authorized'],
    [6, false, 'L7RSP', 'unknown CONNACK return code'],
    [0x97, false, 'L7RSP', 'unknown CONNACK return code'],
  ])('return code %i: alive %s', (code, ok, status, info) => {
    expect(judgeConnack(connack(0x20, 2, 0, code))).toEqual({ ok, status, code, info });
  });

  test('is waited for byte by byte, and what follows does not matter', () => {
    const whole = connack(0x20, 2, 1, 0, 0x30);
    const said = [0, 1, 2, 3, 4, 5].map(length => judgeConnack(whole.subarray(0, length)));
    expect(said.slice(0, 4)).toEqual(['more', 'more', 'more', 'more']);
    expect(said.slice(4)).toEqual([expect.objectContaining({ ok: true }), expect.objectContaining({ ok: true })]);
  });

  test.each([
    ['another packet', connack(0x30), 'not a CONNACK'],
    ['text', Buffer.from('HTTP/1.1 400 Bad Request'), 'not a CONNACK'],
    ['a flag in the fixed header', connack(0x21, 2, 0, 0), 'not a CONNACK'],
    ['a wrong length', connack(0x20, 3), 'malformed CONNACK'],
    ['a reserved acknowledge flag', connack(0x20, 2, 2), 'malformed CONNACK'],
  ])('%s is known at once not to be one', (_title, bytes, info) => {
    expect(judgeConnack(bytes)).toEqual({ ok: false, status: 'L7RSP', code: null, info });
  });
});

describe('CONNECT', () => {
  function decoded(bytes: Buffer): unknown {
    const read = parser();
    let packet: unknown;
    read.on('packet', found => {
      packet = found;
    });
    read.parse(bytes);
    return packet;
  }

  test('is 3.1.1 with a clean session, and carries the credentials that are given', () => {
    const expected = { cmd: 'connect', protocolVersion: 4, clean: true, clientId: 'limpet-check-lb1-00ff00-1' };
    const anonymous = decoded(checkConnect('limpet-check-lb1-00ff00-1', null, null));
    expect(anonymous).toMatchObject(expected);
    expect(anonymous).not.toHaveProperty('username');
    expect(decoded(checkConnect('limpet-check-lb1-00ff00-1', 'probe', 'pässword'))).toMatchObject({
      ...expected,
      username: 'probe',
      password: Buffer.from('pässword'),
    });
  });
});

test.each([
  [200, [200], true],
  [204, [200, 204], true],
  [503, [200], false],
  [302, [200], false],
])('HTTP status %i where %j is expected: alive %s', (status, expect_, ok) => {
  expect(judgeStatus(status, expect_)).toMatchObject({ ok, status: ok ? 'L7OK' : 'L7STS', code: status });
});

describe('what a passing check disproves', () => {
  const mqtt: ProbeConfig = { type: 'mqtt', username: null, password: null };
  const http: ProbeConfig = { type: 'http', method: 'GET', path: '/', host: null, expect: [200] };
  test.each<[string, ProbeConfig, number | null, readonly string[]]>([
    ['mqtt', mqtt, null, ['dial', 'connack_timeout']],
    ['mqtt on the same port, named', mqtt, 1883, ['dial', 'connack_timeout']],
    ['tcp', { type: 'tcp' }, null, ['dial']],
    ['http', http, null, ['dial']],
    ['mqtt on another port', mqtt, 1884, []],
    ['http on another port', http, 18083, []],
  ])('%s', (_title, probe, port, causes) => {
    const server = { port: 1883 } as ServerConfig;
    expect(disproves(server, { probe, port } as CheckConfig)).toEqual(causes);
  });
});
