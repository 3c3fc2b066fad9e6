import { Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { plainAddress, SocketAccepted } from '../../../src/listen/accepted.ts';
import { Arrival } from '../../../src/listen/arrival.ts';
import { PrereadPool } from '../../../src/preread_pool.ts';
import { HandshakeGate } from '../../../src/tls/handshake_gate.ts';
import { entry } from './entry.ts';

const wheel = new TimerWheel();
afterAll(() => wheel.close());

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8::7', '2001:db8::7'],
  ['::1', '::1'],
  ['::ffff:0:0', '::ffff:0:0'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
])('P12: %s is written as %s', (address, expected) => {
  expect(plainAddress(address, 1883)).toEqual({ address: expected, port: 1883 });
});

test('a client that has gone before anybody looked is no client: nobody is asked, and its socket is closed', async () => {
  const socket = new Socket();
  const closed = entry({ access: () => expect.unreachable(), enter: () => expect.unreachable() });
  const shop = { wheel, pool: new PrereadPool(1000), handshakes: new HandshakeGate({ most: 1, queue: 1 }) };
  let answered = 0;
  const arrival = new Arrival(new SocketAccepted(socket, null), 1, closed, shop);
  expect(await arrival.run(() => (answered += 1))).toEqual({ kind: 'gone' });
  expect([socket.destroyed, answered]).toEqual([true, 1]);
});
