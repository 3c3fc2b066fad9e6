import { expect, test } from 'vitest';
import { type AddressEvent, addressEvent, holdersAfter, overlapMs } from '../../holding.ts';

const added = String.raw`[2026-11-20T18:10:25.153541] 2: eth0    inet 10.77.0.100/24 scope global secondary eth0\       valid_lft forever`;
const deleted = added.replace('] 2', '] Deleted 2');

function event(atMs: number, host: string, holds: boolean): AddressEvent {
  return { atMs, host, holds };
}

test('a line of ip monitor says who has the address, or has it no more, to the microsecond', () => {
  const atMs = Date.UTC(2026, 10, 20, 18, 10, 25) + 153.541;
  expect(addressEvent(added, 'proxy1', '10.77.0.100')).toEqual(event(atMs, 'proxy1', true));
  expect(addressEvent(deleted, 'proxy1', '10.77.0.100')).toEqual(event(atMs, 'proxy1', false));
});

test('an IPv6 address is found as well', () => {
  const line = String.raw`[2026-11-20T18:10:25.153541] 2: eth0    inet6 fd00::100/64 scope global nodad \       valid_lft forever`;
  expect(addressEvent(line, 'proxy1', 'fd00::100')?.holds).toBe(true);
});

test('another address, and another kind of line, say nothing', () => {
  expect(addressEvent(added, 'proxy1', '10.77.0.10')).toBeNull();
  expect(addressEvent('Timestamp: Fri Nov 20 18:10:25 2026 153541 usec', 'proxy1', '10.77.0.100')).toBeNull();
});

test('the holders are those that took it and did not let go', () => {
  const events = [event(1, 'a', true), event(2, 'b', true), event(3, 'a', false)];
  expect(holdersAfter(events)).toEqual(['b']);
  expect(holdersAfter(events.slice(0, 2))).toEqual(['a', 'b']);
});

const overlaps = [
  { name: 'one after the other', events: [event(1, 'a', true), event(5, 'a', false), event(6, 'b', true)], sum: 0 },
  { name: 'both for a while', events: [event(1, 'a', true), event(5, 'b', true), event(8, 'a', false)], sum: 3 },
  { name: 'both until the end', events: [event(1, 'a', true), event(90, 'b', true)], sum: 10 },
  { name: 'both since before', events: [event(-9, 'a', true), event(-5, 'b', true), event(7, 'b', false)], sum: 7 },
  {
    name: 'twice',
    events: [
      event(1, 'a', true),
      event(5, 'b', true),
      event(8, 'b', false),
      event(20, 'b', true),
      event(21, 'a', false),
    ],
    sum: 4,
  },
];

test.each(overlaps)('how long two held it: $name', ({ events, sum }) => {
  expect(overlapMs(events, 0, 100)).toBe(sum);
});
