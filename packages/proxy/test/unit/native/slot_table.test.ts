import { expect, test } from 'vitest';
import { SlotTable } from '../../../src/native/slot_table.ts';

/** The number of a place in its n-th use. */
const id = (place: number, use: number): number => use * 2 ** 20 + place;

test('finds what bears a number, and nothing for one that is gone, whoever has its place now', () => {
  const table = new SlotTable<{ readonly id: number }>();
  const [first, second] = [{ id: id(3, 0) }, { id: id(0, 0) }];
  table.set(first);
  table.set(second);
  expect([table.get(id(3, 0)), table.get(id(0, 0))]).toEqual([first, second]);
  expect([table.get(id(1, 0)), table.get(id(3, 1)), table.get(id(9, 0)), table.get(-1)]).toEqual([
    null,
    null,
    null,
    null,
  ]);
  // Beyond 32 bits, as after some thousand uses.
  const later = { id: id(3, 5_000_000) };
  table.set(later);
  expect([table.get(first.id), table.get(later.id)]).toEqual([null, later]);
  table.delete(first);
  expect(table.get(later.id)).toBe(later);
  table.delete(later);
  expect(table.get(later.id)).toBe(null);
});
