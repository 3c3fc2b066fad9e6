import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { FrontendConfig } from '../../../src/config/resolved.ts';
import { openFilesLimit, sessionsOfThisProcess, sessionsWithin } from '../../../src/listen/descriptors.ts';
import { inboundOf, plainAddress } from '../../../src/listen/inbound.ts';

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

test('a client that has gone before anybody looked is no client, and its socket is closed', () => {
  const socket = new Socket();
  expect(inboundOf(socket, 1, {} as FrontendConfig, '*:1883')).toBeNull();
  expect(socket.destroyed).toBe(true);
});

test.each([
  ['Max open files            1024                 524288               files     ', 1024],
  ['Max open files            unlimited            unlimited            files     ', Number.POSITIVE_INFINITY],
  ['Max cpu time              unlimited            unlimited            seconds   ', 1024],
  ['', 1024],
])('the soft limit of open files in %j', (line, expected) => {
  expect(
    openFilesLimit(`Limit                     Soft Limit           Hard Limit           Units     \n${line}\n`),
  ).toBe(expected);
});

test.each([
  [1024, 448],
  [65_536, 32_704],
  [129, 1],
  [10, 1],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
])('%d descriptors are enough for %d sessions', (openFiles, expected) => {
  expect(sessionsWithin(openFiles)).toBe(expected);
});

test('this process can have a session at least', () => {
  expect(sessionsOfThisProcess()).toBeGreaterThanOrEqual(1);
});
