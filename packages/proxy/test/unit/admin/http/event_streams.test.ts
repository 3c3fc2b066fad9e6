import { expect, test } from 'vitest';
import { type Room, roomFor } from '../../../../src/admin/http/event_streams.ts';

const many = (source: string, count: number): readonly string[] => Array.from({ length: count }, () => source);

test.each<readonly [what: string, source: string, sources: readonly string[], room: Room]>([
  ['nobody is there', 'a', [], { kind: 'free' }],
  ['the eighth of a source', 'a', many('a', 7), { kind: 'free' }],
  ['the ninth of a source', 'a', many('a', 8), { kind: 'refused' }],
  [
    'full: the source with the most',
    'z',
    [...many('b', 7), ...many('a', 8), ...many('c', 7), ...many('d', 7), 'e', 'f', 'g'],
    { kind: 'after', place: 7 },
  ],
  ['full of single ones: the oldest', 'z', Array.from({ length: 32 }, (_, n) => `s${n}`), { kind: 'after', place: 0 }],
  [
    'full of single ones, one of its own',
    's5',
    Array.from({ length: 32 }, (_, n) => `s${n}`),
    { kind: 'after', place: 5 },
  ],
  [
    'full, and its own are eight',
    'a',
    [...many('a', 8), ...many('b', 8), ...many('c', 8), ...many('d', 8)],
    { kind: 'refused' },
  ],
])('%s', (_what, source, sources, room) => {
  expect(roomFor(source, sources)).toEqual(room);
});
