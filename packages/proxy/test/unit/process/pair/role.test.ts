import { expect, test } from 'vitest';
import { RoleKeeper } from '../../../../src/process/pair/role.ts';

test('a word counts at once, and the addresses do not contradict it for 2 s', () => {
  const keeper = new RoleKeeper('standby');
  expect([keeper.heard(true, 1000), keeper.role]).toEqual([true, 'active']);
  expect([keeper.looked(false, 2999), keeper.role]).toEqual([false, 'active']);
  expect([keeper.looked(false, 3000), keeper.role]).toEqual([true, 'standby']);
});

test('where no word came the addresses decide', () => {
  const keeper = new RoleKeeper('standby');
  expect([keeper.looked(true, 0), keeper.role]).toEqual([true, 'active']);
  expect([keeper.looked(false, 1), keeper.role]).toEqual([true, 'standby']);
});

test('what is so already is no change, and yet holds off the addresses', () => {
  const keeper = new RoleKeeper('active');
  expect(keeper.heard(true, 5000)).toBe(false);
  expect(keeper.looked(true, 5500)).toBe(false);
  expect(keeper.looked(false, 6999)).toBe(false);
  expect(keeper.heard(false, 6999)).toBe(true);
  expect(keeper.looked(true, 8000)).toBe(false);
  expect(keeper.role).toBe('standby');
});
