import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AdminRecord } from '../../src/admin.ts';
import { memoryAdminStore } from '../../src/admin_memory.ts';
import { decodeAdmin, encodeAdmin } from '../../src/admin_value.ts';
import { adminStoreConformance } from '../admin_conformance.ts';

adminStoreConformance('memory', async () => {
  const store = memoryAdminStore();
  return { store, [Symbol.asyncDispose]: () => store.close() };
});

it.each<[AdminRecord, string | null]>([
  [{ state: 'ready', weight: null }, null],
  [{ state: 'ready', weight: 5 }, 'ready weight=5'],
  [{ state: 'drain', weight: null }, 'drain'],
  [{ state: 'drain_new', weight: 0 }, 'drain_new weight=0'],
  [{ state: 'maint', weight: 256 }, 'maint weight=256'],
])('%j is written as %s, and read as it was', (record, value) => {
  expect(encodeAdmin(record)).toBe(value);
  expect(decodeAdmin(value ?? 'ready')).toEqual({ record, unknown: [] });
});

it.each<[string, AdminRecord, readonly string[]]>([
  ['', { state: 'ready', weight: null }, []],
  ['  DRAIN ', { state: 'drain', weight: null }, []],
  ['weight=5', { state: 'ready', weight: 5 }, []],
  ['Weight=5,maint', { state: 'maint', weight: 5 }, []],
  ['drain ready', { state: 'ready', weight: null }, []],
  ['drian', { state: 'ready', weight: null }, ['drian']],
  ['drain weight=257', { state: 'drain', weight: null }, ['weight=257']],
  ['drain weight=-1 50%', { state: 'drain', weight: null }, ['weight=-1', '50%']],
  [`maint ${'x'.repeat(100)}`, { state: 'maint', weight: null }, ['x'.repeat(40)]],
])('%j, by hand', (value, record, unknown) => {
  expect(decodeAdmin(value)).toEqual({ record, unknown });
});

it('any text is read as some record', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), text => {
      const { record, unknown } = decodeAdmin(text);
      expect(record.weight === null || (record.weight >= 0 && record.weight <= 256)).toBe(true);
      expect(unknown.length).toBeLessThanOrEqual(8);
    }),
  );
});
