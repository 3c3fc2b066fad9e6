/** A bind whose clients the engine accepts, with an engine that the test plays: the listener's number is always 7. */
import { expect, test } from 'vitest';
import type { Accepted } from '../../../src/listen/accepted.ts';
import { Event } from '../../../src/native/addon.ts';
import { NativeListener } from '../../../src/native/native_listener.ts';
import { QUIET } from '../../kit/mover.ts';
import { Played, playedHandle } from './played.ts';

/** 10.0.0.0 and those behind it, as the engine tells an address. */
function address(number: number): string {
  return String.fromCharCode(4, 10, 0, number >> 8, number & 0xff, ...new Array(12).fill(0), 7, 91);
}

test('clients that came to one address of this host share what is known of it, and what is remembered is bounded', () => {
  const played = new Played();
  const clients: Accepted[] = [];
  const listener = new NativeListener(played.engine, { ...QUIET, accepted: client => clients.push(client) > 0 });
  listener.start(playedHandle());
  let stream = 100;
  const destination = (local: number) => {
    stream += 1;
    played.tell([Event.accepted, stream, 7, 1, address(9) + address(local)]);
    return clients.at(-1)?.destination;
  };
  const first = destination(1);
  expect(first).toEqual({ address: '10.0.0.1', port: 1883 });
  expect(destination(2)).toEqual({ address: '10.0.0.2', port: 1883 });
  expect(destination(1)).toBe(first);
  for (let local = 3; local < 3000; local += 1) destination(local);
  const again = destination(1);
  expect(again).toEqual(first);
  expect(again).not.toBe(first);
  expect(destination(1)).toBe(again);
});

test('a listener that is closed remembers no address', () => {
  const played = new Played();
  const late: Accepted[] = [];
  const listener = new NativeListener(played.engine, {
    ...QUIET,
    accepted: client => late.push(client) > 0,
    acceptedAnyway: client => void late.push(client),
  });
  listener.start(playedHandle());
  const come = (stream: number): void => played.tell([Event.accepted, stream, 7, 1, address(9) + address(1)]);
  come(101);
  listener.close();
  come(102);
  const [before, after] = late.map(({ destination }) => destination);
  expect(after).toEqual(before);
  expect(after).not.toBe(before);
});
