/** What becomes of a batch of events, with an engine that the test plays. */
import { expect, test } from 'vitest';
import type { EndpointListener } from '../../../src/endpoint.ts';
import { Event } from '../../../src/native/addon.ts';
import { codeOf } from '../../../src/native/engine.ts';
import { NativeStream } from '../../../src/native/native_stream.ts';
import { Played } from './played.ts';

function noting(heard: string[], onBytes: () => void = () => {}): EndpointListener {
  return {
    bytes(chunk) {
      heard.push(chunk.toString('latin1'));
      onBytes();
    },
    drained: () => heard.push('drained'),
    ended: () => heard.push('ended'),
    closed: code => heard.push(`closed ${code}`),
  };
}

test('P1: each event reaches its stream, in order; bytes are copies', () => {
  const played = new Played();
  const [one, other] = [new NativeStream(played.engine, 1), new NativeStream(played.engine, 2)];
  const [heard, alsoHeard]: [string[], string[]] = [[], []];
  const chunks: Buffer[] = [];
  one.attach({ ...noting(heard), bytes: chunk => chunks.push(chunk) });
  other.attach(noting(alsoHeard));
  played.tell(
    [Event.bytes, 1, 0, 0, 'abc'],
    [Event.bytes, 2, 0, 0, 'xy'],
    [Event.bytes, 1, 0, 0, 'def'],
    [Event.ended, 1, 0, 0, ''],
    [Event.drained, 2, 0, 0, ''],
    [Event.closed, 1, 0, 0, ''],
    [Event.closed, 2, 104, 0, ''],
  );
  expect(chunks.map(String)).toEqual(['abc', 'def']);
  expect([heard, alsoHeard]).toEqual([
    ['ended', 'closed null'],
    ['xy', 'drained', 'closed ECONNRESET'],
  ]);
  expect([one.bytesIn, one.isGone, other.bytesIn]).toEqual([6, true, 2]);
});

test('an event that is taken back while its batch is read is not told, and none of a number that is gone is', () => {
  const played = new Played();
  const stream = new NativeStream(played.engine, 5);
  const heard: string[] = [];
  stream.attach(noting(heard, () => played.takeBack(1)));
  played.tell(
    [Event.bytes, 5, 0, 0, 'one'],
    [Event.bytes, 5, 0, 0, 'two'],
    [Event.bytes, 2 ** 20 + 5, 0, 0, 'of another'],
    [Event.closed, 5, 0, 0, ''],
    [Event.bytes, 5, 0, 0, 'late'],
  );
  expect(heard).toEqual(['one', 'closed null']);
});

test('a client of a listener that nobody has is reset', () => {
  const played = new Played();
  played.tell([Event.accepted, 9, 3, 0, '']);
  expect(played.orders).toEqual(['reset 9']);
});

test('P1: what was put back is told first, before the engine is asked for more; to whoever links it, it is handed', async () => {
  const played = new Played();
  const stream = new NativeStream(played.engine, 4);
  const heard: string[] = [];
  stream.attach(noting(heard));
  stream.unread(Buffer.from('put back'));
  stream.resume();
  stream.pause();
  await Promise.resolve();
  expect([heard, played.orders]).toEqual([[], ['pause 4']]);
  stream.resume();
  await Promise.resolve();
  expect([heard, played.orders.slice(1)]).toEqual([['put back'], ['resume 4']]);
  stream.pause();
  stream.unread(Buffer.from('again'));
  expect([stream.takeEarly()?.toString(), stream.takeEarly()]).toEqual(['again', null]);
});

test('a dial that is given up is told of no more, and its departure is free at once', () => {
  const played = new Played();
  const heard: string[] = [];
  const order = { address: '127.0.0.1', port: 1, from: null, fromPort: 0, first: Buffer.from('hello') };
  const listener = { dialled: () => heard.push('dialled'), notDialled: (code: string) => heard.push(code) };
  const dial = (): NativeStream => NativeStream.dial(played.engine, order, listener, () => heard.push('over'));
  dial().reset();
  expect(heard).toEqual(['over']);
  played.tell([Event.opened, 7, 0, 0, ''], [Event.failed, 7, 111, 2, '']);
  expect(heard).toEqual(['over']);
  dial();
  played.tell([Event.failed, 7, 111, 2, '']);
  expect(heard).toEqual(['over', 'over', 'ECONNREFUSED']);
  const stream = dial();
  played.tell([Event.opened, 7, 0, 0, '']);
  expect([heard.at(-1), stream.bytesOut, stream.isDialling]).toEqual(['dialled', 5, false]);
});

test.each([
  [0, null],
  [104, 'ECONNRESET'],
  [110, 'ETIMEDOUT'],
  [99, 'EADDRNOTAVAIL'],
])('errno %i is %s', (errno, code) => {
  expect(codeOf(errno)).toBe(code);
});
