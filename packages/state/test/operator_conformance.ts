/**
 * What every table promises to operators (`src/operator_table.ts`), as tests. Each adapter's test file calls this with its
 * own way to open a table.
 */
import { describe, expect, it } from 'vitest';
import type { Claimant, StickEntry, StickTable, StickTimes } from '../src/contract.ts';
import type { OperatorTable } from '../src/operator_table.ts';

export interface OpenedOperatorTable extends AsyncDisposable {
  /** The same table, as sessions use it. */
  readonly table: StickTable;
  readonly operator: OperatorTable;
}

const times: StickTimes = { pendingMs: 40_000, expireMs: 20_000 };
const ann: Claimant = { owner: 'lb1/1', epoch: 7 };
const pin = (key: string, server = 'a'): { key: string; server: string; by: Claimant } => ({ key, server, by: ann });

interface Walk {
  readonly from?: string;
  readonly isWanted?: (key: string) => boolean;
  /** Runs behind each slice. */
  readonly between?: () => Promise<void>;
}

/** All entries, by key. A key that was seen twice is told. */
export async function walk(operator: OperatorTable, { from, isWanted, between }: Walk = {}): Promise<StickEntry[]> {
  const seen = new Map<string, StickEntry>();
  let cursor = from ?? null;
  do {
    const slice = await operator.slice(cursor, isWanted);
    for (const entry of slice.entries) {
      if (seen.has(entry.key)) seen.set(`${entry.key} (twice)`, entry);
      seen.set(entry.key, entry);
    }
    await between?.();
    cursor = slice.next;
  } while (cursor !== null);
  return [...seen.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
}

export function operatorTableConformance(
  name: string,
  open: (times: StickTimes) => Promise<OpenedOperatorTable>,
): void {
  describe(`${name}: slice`, () => {
    it('an empty table has no entries', async () => {
      await using opened = await open(times);
      expect(await walk(opened.operator)).toEqual([]);
      expect(await opened.operator.count()).toBe(0);
    });

    it('shows each state as it is, whatever is in the key', async () => {
      await using opened = await open(times);
      const { table, operator } = opened;
      const keys = ['*', '[a]', 'a b', 'a:b', 'a|b', 'ä', '設備', '\\', '{x}', '日本'];
      for (const key of keys) await table.confirm(pin(key));
      await table.release(pin('*'));
      await table.claim({ key: 'new', usable: ['b'], candidate: 'b', by: ann });
      const entries = await walk(operator);
      expect(entries.map(({ key }) => key)).toEqual([...keys, 'new'].sort());
      expect(entries.find(({ key }) => key === '*')).toMatchObject({ server: 'a', state: 'cooling', ...ann });
      expect(entries.find(({ key }) => key === 'ä')).toMatchObject({ state: 'pinned', ttlMs: null });
      expect(entries.find(({ key }) => key === 'new')).toMatchObject({ server: 'b', state: 'pending' });
      expect(await operator.count()).toBe(keys.length + 1);
    });

    it('sees each entry that stays exactly once, while others come and go', async () => {
      await using opened = await open(times);
      const { table, operator } = opened;
      const kept = Array.from({ length: 3000 }, (_, i) => `kept-${String(i).padStart(4, '0')}`);
      await table.renew(kept.map(key => pin(key)));
      await table.renew(Array.from({ length: 500 }, (_, i) => pin(`gone-${i}`)));
      let round = 0;
      const entries = await walk(operator, {
        between: async () => {
          round++;
          await operator.remove(Array.from({ length: 50 }, (_, i) => `gone-${(round * 50 + i) % 500}`));
          await table.confirm(pin(kept[(round * 37) % kept.length] ?? '', 'b'));
          await table.confirm(pin(`new-${round}`));
        },
      });
      expect(round).toBeGreaterThan(3);
      expect(entries.filter(({ key }) => key.startsWith('kept')).map(({ key }) => key)).toEqual(kept);
    });

    it('leaves out keys that are not wanted', async () => {
      await using opened = await open(times);
      const { table, operator } = opened;
      for (const key of ['a1', 'b1', 'a2']) await table.confirm(pin(key));
      const entries = await walk(operator, { isWanted: key => key.startsWith('a') });
      expect(entries.map(({ key }) => key)).toEqual(['a1', 'a2']);
    });

    it('takes a cursor that nobody gave out for the beginning', async () => {
      await using opened = await open(times);
      await opened.table.confirm(pin('k'));
      expect(await walk(opened.operator, { from: "'; FLUSHALL" })).toHaveLength(1);
    });
  });

  describe(`${name}: set, put, remove`, () => {
    it('set gives a key its home, whatever stood there', async () => {
      await using opened = await open(times);
      const { table, operator } = opened;
      await table.confirm(pin('live'));
      for (const key of ['live', 'new']) {
        expect(await operator.set(key, 'b')).toBe(true);
        const entry = await operator.get(key);
        expect(entry).toMatchObject({ key, server: 'b', state: 'cooling' });
        expect(entry?.ttlMs).toBeGreaterThan(times.expireMs - 10_000);
        expect(entry?.ttlMs).toBeLessThanOrEqual(times.expireMs);
      }
      expect(await table.claim({ key: 'new', usable: ['a', 'b'], candidate: 'a', by: ann })).toMatchObject({
        kind: 'held',
        server: 'b',
      });
    });

    it('P2: the end of a session that is live elsewhere does not touch what was set; its renewal is told', async () => {
      await using opened = await open(times);
      const { table, operator } = opened;
      await table.confirm(pin('k'));
      await operator.set('k', 'b');
      expect(await table.renew([pin('k')])).toEqual(['k']);
      await table.release(pin('k'));
      expect(await operator.get('k')).toMatchObject({ server: 'b', state: 'cooling' });
    });

    it('P3: put never writes over the entries of sessions', async () => {
      await using opened = await open(times);
      const { table, operator } = opened;
      await table.confirm(pin('pinned'));
      await table.claim({ key: 'pending', usable: ['a'], candidate: 'a', by: ann });
      await table.confirm(pin('cooling'));
      await table.release(pin('cooling'));
      const keys = ['pinned', 'cooling', 'new', 'pending'];
      const results = await operator.put(keys.map(key => ({ key, server: 'b', ttlMs: 5000 })));
      expect(results).toEqual(['kept', 'written', 'written', 'kept']);
      for (const key of ['pinned', 'pending'])
        expect(await operator.get(key)).toMatchObject({ server: 'a', state: key });
      for (const key of ['cooling', 'new']) {
        const entry = await operator.get(key);
        expect(entry).toMatchObject({ server: 'b', state: 'cooling' });
        expect(entry?.ttlMs).toBeLessThanOrEqual(5000);
      }
    });

    it('put gives no more than the whole time, and all of it where none is named', async () => {
      await using opened = await open(times);
      const { operator } = opened;
      await operator.put([
        { key: 'long', server: 'a', ttlMs: 1e12 },
        { key: 'none', server: 'a', ttlMs: null },
      ]);
      for (const key of ['long', 'none']) {
        const entry = await operator.get(key);
        expect(entry?.ttlMs).toBeGreaterThan(times.expireMs - 10_000);
        expect(entry?.ttlMs).toBeLessThanOrEqual(times.expireMs);
      }
    });

    it('remove counts what was there; a live session writes its entry again', async () => {
      await using opened = await open(times);
      const { table, operator } = opened;
      await table.confirm(pin('live'));
      await table.confirm(pin('other'));
      expect(await operator.remove(['live', 'other', 'nobody'])).toBe(2);
      expect(await operator.get('live')).toBeNull();
      await table.renew([pin('live')]);
      expect(await operator.get('live')).toMatchObject({ state: 'pinned', ...ann });
    });
  });
}
