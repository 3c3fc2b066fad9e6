import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { disconnectPacket } from '../../../src/relay/farewell.ts';
import { PacketBoundary } from '../../../src/relay/packet_boundary.ts';
import { Relay } from '../../../src/relay/relay.ts';
import type { RelayEnd } from '../../../src/stages.ts';
import { MemoryEndpoint } from './memory_endpoint.ts';

const NO_LIMITS = { clientIdleMs: null, serverIdleMs: null };
const CONNACK = '\x20\x03\x00\x00\x00';
const WORDS = disconnectPacket(0x9c).toString('latin1');
const SLACK_MS = 100;
const wheels: TimerWheel[] = [];

/** A PUBLISH of 6 bytes. */
const publish = (letter: string): string => `\x30\x04\x00\x01t${letter}`;

function scene({ isMqtt5 = true } = {}) {
  const wheel = new TimerWheel();
  wheels.push(wheel);
  const [client, server] = [new MemoryEndpoint(), new MemoryEndpoint()];
  const relay = new Relay(client, server, NO_LIMITS, wheel);
  const ends: RelayEnd[] = [];
  void relay.run(Buffer.from(CONNACK, 'latin1'), isMqtt5 ? new PacketBoundary() : null).then(end => ends.push(end));
  const evict = (): boolean => relay.evict(disconnectPacket(0x9c));
  return { relay, client, server, ends, evict };
}

async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await Promise.resolve();
}

function asked({ asked }: MemoryEndpoint): string {
  return asked.filter(what => !what.startsWith('keepAlive')).join(' ');
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] });
});
afterEach(() => {
  for (const wheel of wheels.splice(0)) wheel.close();
  vi.useRealTimers();
});

test('a DISCONNECT of the server, as 5.0 writes it', () => {
  expect(disconnectPacket(0x98).toString('hex')).toBe('e0029800');
});

test('between two packets: told at once, then nothing more of the broker; the client leaves, and the broker hears its end', async () => {
  const { client, server, ends, evict } = scene();
  server.sends(publish('a'));
  expect(evict()).toBe(true);
  server.sends(publish('b'));
  expect(client.written).toBe(CONNACK + publish('a') + WORDS);
  expect([asked(client), asked(server)]).toEqual(['end', '']);
  client.sends('acks');
  client.closes(null);
  expect([server.written, asked(server)]).toEqual(['acks', 'close']);
  await pass(0);
  expect(ends).toEqual(['drained']);
});

test('any packets in any pieces: told behind the packet that is under way, and every byte of it arrives', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.array(fc.nat(30), { maxLength: 4 }), (cut, cuts) => {
      const { client, server, evict } = scene();
      const stream = ['a', 'b', 'c', 'd', 'e'].map(publish).join('');
      server.sends(stream.slice(0, cut));
      evict();
      const at = [...cuts.map(one => Math.max(one, cut)), 30].sort((a, b) => a - b);
      for (const [i, end] of at.entries()) server.sends(stream.slice(i === 0 ? cut : at[i - 1], end));
      expect(client.written).toBe(CONNACK + stream.slice(0, Math.ceil(cut / 6) * 6) + WORDS);
      for (const wheel of wheels.splice(0)) wheel.close();
    }),
  );
});

test('a packet whose end does not come: after 2 s the client is closed without a word', async () => {
  const { client, server, evict } = scene();
  server.sends('\x30\x04\x00');
  evict();
  await pass(2000 - SLACK_MS);
  expect(asked(client)).toBe('');
  await pass(2 * SLACK_MS);
  server.sends('\x01tx');
  expect([client.written, asked(client)]).toEqual([`${CONNACK}\x30\x04\x00`, 'end']);
});

test.each([
  ['not MQTT 5.0', false, ''],
  ['what the broker says is not MQTT', true, '\x30\xff\xff\xff\xff'],
])('%s: closed at once, without a word', (_what, isMqtt5, garbage) => {
  const { client, server, evict } = scene({ isMqtt5 });
  server.sends(garbage);
  expect(evict()).toBe(true);
  server.sends('more');
  client.sends('acks');
  expect([client.written, asked(client), server.written]).toEqual([CONNACK + garbage, 'end', 'acks']);
});

test('a client that does not leave is closed after 5 s, and its broker too, which is never told a DISCONNECT', async () => {
  const { client, server, ends, evict } = scene();
  evict();
  await pass(5000 - SLACK_MS);
  expect([asked(client), asked(server), ends]).toEqual(['end', '', []]);
  await pass(2 * SLACK_MS);
  expect([asked(client), ends]).toEqual(['end close', ['drained']]);
  expect([server.written, asked(server).startsWith('close')]).toEqual(['', true]);
});

test('P10: one that takes no bytes is reset 2 s after that', async () => {
  const { client, evict, ends } = scene();
  client.isSlow = true;
  evict();
  await pass(7000 - SLACK_MS);
  expect([asked(client).includes('reset'), ends]).toEqual([false, []]);
  await pass(3 * SLACK_MS);
  expect([asked(client).includes('reset'), ends]).toEqual([true, ['drained']]);
});

test('the half of a packet that a slow client has not fetched yet is awaited', () => {
  const { client, server, evict } = scene();
  client.isSlow = true;
  server.sends('\x30\x04\x00');
  evict();
  server.sends('\x01tx');
  expect(client.written).toBe(`${CONNACK}\x30\x04\x00`);
  client.drains();
  expect(client.written).toBe(`${CONNACK}\x30\x04\x00\x01tx${WORDS}`);
});

test('the broker goes first: the client is closed behind what had come', async () => {
  const { client, server, ends, evict } = scene();
  server.sends('\x30\x04\x00');
  evict();
  server.ends();
  server.closes(null);
  await pass(0);
  expect([asked(client).split(' ').at(-1), ends]).toEqual(['close', ['drained']]);
});

test('asked once, and only while it runs', async () => {
  const { relay, client, server, ends, evict } = scene();
  expect([evict(), evict()]).toEqual([true, false]);
  relay.stop('shutdown');
  await pass(0);
  expect([evict(), ends, client.isClosed, server.isClosed]).toEqual([false, ['drained'], true, true]);
  const wheel = new TimerWheel();
  wheels.push(wheel);
  const fresh = new Relay(new MemoryEndpoint(), new MemoryEndpoint(), NO_LIMITS, wheel);
  expect(fresh.evict(null)).toBe(false);
});

test('whatever happens, and in whatever order: one end, and nothing is left open', async () => {
  const kinds = fc.constantFrom(
    'half',
    'rest',
    'evict',
    'client ends',
    'client closes',
    'server ends',
    'server resets',
    'wait',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(kinds, { minLength: 1, maxLength: 8 }), async kinds => {
      const { client, server, ends, evict } = scene();
      let isEvicted = false;
      const acts: Record<string, () => unknown> = {
        half: () => server.isClosed || server.sends('\x30\x04\x00'),
        rest: () => server.isClosed || server.sends('\x01tx'),
        evict: () => {
          isEvicted ||= evict();
        },
        'client ends': () => client.ends(),
        'client closes': () => client.closes(null),
        'server ends': () => server.ends(),
        'server resets': () => server.closes('ECONNRESET'),
        wait: () => pass(1000),
      };
      for (const kind of kinds) await acts[kind]?.();
      // One that was ending already has the 30 s of every session that ends.
      await pass(isEvicted ? 9000 + SLACK_MS : 31_000);
      const isOver = kinds.some(kind => !['half', 'rest', 'wait'].includes(kind));
      expect([ends.length, client.isClosed, server.isClosed]).toEqual([isOver ? 1 : 0, isOver, isOver]);
      for (const wheel of wheels.splice(0)) wheel.close();
    }),
    { numRuns: 100 },
  );
});
