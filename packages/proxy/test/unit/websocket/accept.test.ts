import { afterAll, expect, test } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { acceptWebSocket, type Upgraded } from '../../../src/websocket/accept_websocket.ts';
import { frame } from './frames.ts';
import { WireEndpoint } from './wire_endpoint.ts';

const wheel = new TimerWheel();
afterAll(() => wheel.close());

const BIND = { paths: ['/mqtt'], origins: null, idleMs: 60_000, trustForwarded: [] };
const OPTIONS = { deadlineMs: 10_000, recordBytes: 1024, wheel };

function request(target: string): Buffer {
  const lines = [
    `GET ${target} HTTP/1.1`,
    'Host: a',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqttv3.1',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

function opened(upgraded: Upgraded): Extract<Upgraded, { kind: 'open' }> {
  if (upgraded.kind !== 'open') throw new Error(JSON.stringify(upgraded));
  return upgraded;
}

test('what the upgrade told stays until it is forgotten, path and sub-protocol for ever', async () => {
  const wire = new WireEndpoint();
  const upgrading = acceptWebSocket(wire, BIND, OPTIONS);
  const early = frame({ payload: Buffer.from('x') });
  wire.receive(Buffer.concat([request('/mqtt?token=t'), early]));
  const { facts } = opened(await upgrading.result);
  expect(wire.isFlowing).toBe(false);
  expect([facts.path, facts.protocol, facts.query, facts.headers.length]).toEqual(['/mqtt', 'mqttv3.1', '?token=t', 6]);
  expect(facts.frames().equals(early)).toBe(true);
  facts.forget();
  expect([facts.path, facts.protocol, facts.query, facts.headers.length]).toEqual(['/mqtt', 'mqttv3.1', '', 0]);
  expect(facts.frames()).toHaveLength(0);
  expect(() => facts.passThrough()).toThrow(expect.objectContaining({ code: 'WEBSOCKET_FRAMES_GONE' }));
});

test('the frames are given away once, with the stream below', async () => {
  const wire = new WireEndpoint();
  const upgrading = acceptWebSocket(wire, BIND, OPTIONS);
  const early = frame({ payload: Buffer.from('x') });
  wire.receive(Buffer.concat([request('/mqtt'), early]));
  const { facts } = opened(await upgrading.result);
  const passed = facts.passThrough();
  expect(passed.endpoint).toBe(wire);
  expect(passed.frames.equals(early)).toBe(true);
  expect(facts.headers).toEqual([]);
});

test('P7: a refusal is told, and is the result when the connection is gone', async () => {
  const wire = new WireEndpoint();
  const upgrading = acceptWebSocket(wire, BIND, OPTIONS);
  let isThere = false;
  const result = upgrading.result.finally(() => {
    isThere = true;
  });
  wire.receive(request('/SECRET'));
  expect(wire.written.join('')).toMatch(/^HTTP\/1\.1 404 /);
  expect(wire.asked).toEqual(['end']);
  await new Promise(resolve => setImmediate(resolve));
  expect(isThere).toBe(false);
  wire.receive(Buffer.from('whatever else it has to say'));
  wire.gone(null);
  expect(JSON.stringify(await result)).not.toContain('SECRET');
});

test('one that is cancelled is reset, and told nothing', async () => {
  const wire = new WireEndpoint();
  const upgrading = acceptWebSocket(wire, BIND, OPTIONS);
  wire.receive(request('/mqtt').subarray(0, 20));
  upgrading.cancel();
  expect(wire.asked[0]).toBe('reset');
  wire.gone('ECONNABORTED');
  expect(await upgrading.result).toMatchObject({ kind: 'failed', status: null, reason: 'cancelled' });
  expect(wire.written).toEqual([]);
});

test('cancelling one that is open does nothing', async () => {
  const wire = new WireEndpoint();
  const upgrading = acceptWebSocket(wire, BIND, OPTIONS);
  wire.receive(request('/mqtt'));
  upgrading.cancel();
  expect((await upgrading.result).kind).toBe('open');
  expect(wire.asked).toEqual([]);
});
