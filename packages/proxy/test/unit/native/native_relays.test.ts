/** Links of the native engine, with an engine that the test plays: its number is always 7. */
import { expect, test } from 'vitest';
import { Event, LinkEnd } from '../../../src/native/addon.ts';
import { NativeRelays } from '../../../src/native/native_relays.ts';
import { NativeStream } from '../../../src/native/native_stream.ts';
import type { RelayOwner, Relays, RunningRelay } from '../../../src/relay/relays.ts';
import type { RelayEnd, StopReason } from '../../../src/stages.ts';
import { MemoryEndpoint } from '../relay/memory_endpoint.ts';
import { Played } from './played.ts';

const NOBODY: RelayOwner = { relayEnded() {} };
const UNUSED: Relays = { start: () => expect.unreachable() };

function terms(passed: number[] = []) {
  const meter = { in: { add: (by: number) => passed.push(by) }, out: { add: (by: number) => passed.push(-by) } };
  const limits = { clientIdleMs: 1500, serverIdleMs: null };
  return { limits, meter, toClient: Buffer.from('CONNACK'), follow: true };
}

function begin(played: Played, owner: RelayOwner): RunningRelay {
  const [client, server] = [new NativeStream(played.engine, 1), new NativeStream(played.engine, 2)];
  return new NativeRelays(played.engine, UNUSED).start(client, server, terms(), owner);
}

test.each<readonly [end: number, stopped: StopReason | null, expected: RelayEnd]>([
  [LinkEnd.clientClosed, null, 'client_closed'],
  [LinkEnd.clientReset, null, 'client_reset'],
  [LinkEnd.clientIdle, null, 'client_idle'],
  [LinkEnd.serverClosed, null, 'server_closed'],
  [LinkEnd.serverReset, null, 'server_reset'],
  [LinkEnd.serverIdle, null, 'server_idle'],
  [LinkEnd.stopped, 'shutdown', 'shutdown'],
  [LinkEnd.stopped, 'standby', 'standby'],
  // The client was first, and the stop came too late.
  [LinkEnd.clientClosed, 'killed', 'client_closed'],
])('the end %i of a link, stopped by %s, is %s', (end, stopped, expected) => {
  const played = new Played();
  const ends: unknown[] = [];
  const link = begin(played, { relayEnded: (...told) => ends.push(told) });
  if (stopped !== null) link.stop(stopped);
  played.tell([Event.linkEnded, 7, end, 10, '']);
  played.tell([Event.linkEnded, 7, end, 10, '']);
  expect(ends).toEqual([[expected, 10, 0]]);
});

test('the first reason stays, and who is asked to leave once is not asked again', () => {
  const played = new Played();
  const ends: unknown[] = [];
  const link = begin(played, { relayEnded: end => ends.push(end) });
  expect([link.evict(null), link.evict(Buffer.from('words'))]).toEqual([true, false]);
  link.stop('shutdown');
  expect(played.orders.slice(-2)).toEqual(['evictLink 7', 'stopLink 7']);
  played.tell([Event.linkEnded, 7, LinkEnd.stopped, 0, '']);
  expect([ends, link.evict(null)]).toEqual([['drained'], false]);
  const stopped = begin(played, NOBODY);
  stopped.stop('killed');
  expect(stopped.evict(null)).toBe(false);
});

test('P1: what was read of the client and put back goes to the server before all else, and is counted', () => {
  const played = new Played();
  const [client, server] = [new NativeStream(played.engine, 1), new NativeStream(played.engine, 2)];
  client.unread(Buffer.from('put back'));
  const passed: number[] = [];
  new NativeRelays(played.engine, UNUSED).start(client, server, terms(passed), NOBODY);
  expect(played.orders).toEqual(['write 2', 'openMeter undefined', 'link 1']);
  expect(passed).toEqual([8]);
  expect([client.isGone, server.isGone]).toEqual([true, true]);
});

test('where one side is gone, or is not the engine’s, the other relay takes both', () => {
  const played = new Played();
  const started: unknown[] = [];
  const node: Relays = {
    start(client, server) {
      started.push([client, server]);
      return { stop() {}, evict: () => false, bytesIn: 0, bytesOut: 0 };
    },
  };
  const relays = new NativeRelays(played.engine, node);
  const [client, server] = [new NativeStream(played.engine, 1), new NativeStream(played.engine, 2)];
  played.tell([Event.closed, 2, 104, 0, '']);
  relays.start(client, server, terms(), NOBODY);
  relays.start(new MemoryEndpoint(), client, terms(), NOBODY);
  expect(started).toHaveLength(2);
  expect(played.orders).toEqual([]);
});

test('P12: what has passed is brought to its meter, and a meter that no link uses is let go of', () => {
  const played = new Played();
  const passed: number[] = [];
  const [client, server] = [new NativeStream(played.engine, 1), new NativeStream(played.engine, 2)];
  const relays = new NativeRelays(played.engine, UNUSED);
  relays.start(client, server, terms(passed), NOBODY);
  played.engine.pair.set([30, 20]);
  relays.settle();
  expect(passed).toEqual([30, -20]);
  played.engine.pair.set([0, 5]);
  played.tell([Event.linkEnded, 7, LinkEnd.clientClosed, 30, '']);
  relays.settle();
  relays.settle();
  expect(passed).toEqual([30, -20, -5]);
  expect(played.orders.filter(order => order.endsWith('Meter 7'))).toEqual([
    'readMeter 7',
    'readMeter 7',
    'closeMeter 7',
  ]);
});
