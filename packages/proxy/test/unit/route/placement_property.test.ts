import { localTable, MemoryTable } from '@limpet/state';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Crowd, SERVERS, steps } from './crowd.ts';
import { Office, TIMES } from './office.ts';

describe.each(['memory', 'shared'] as const)('any number of sessions in any order, %s', mode => {
  test('P2, P5: distinct candidates that are up, counts that are right at every step, and no claim left behind', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async steps => {
        const redis = new MemoryTable({ size: 100, times: TIMES, now: () => 0 });
        const crowd = new Crowd(mode === 'shared' ? localTable(redis) : null);
        for (const { what, which } of steps) {
          await crowd.run(what, which);
          await crowd.check();
        }
        await crowd.end();
        await crowd.check();
        for (const state of await crowd.states()) expect([undefined, 'cooling']).toContain(state);
        expect([...crowd.office.pins.batches(100)]).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

test('a session that nobody accepts leaves its key as it was, whatever failed on the way', async () => {
  const home = fc.option(fc.constantFrom('a', 'b', 'c'));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('memory', 'shared'), home, fc.nat(5), async (mode, home, failures) => {
      const redis = new MemoryTable({ size: 100, times: TIMES, now: () => 0 });
      const office = new Office({ servers: SERVERS, ...(mode === 'shared' ? { shared: localTable(redis) } : {}) });
      const table = mode === 'shared' ? redis : office.table;
      const by = { owner: 'lb2/1', epoch: 1 };
      if (home !== null) table.confirm({ key: 'device', server: home, by });
      if (home !== null) table.release({ key: 'device', server: home, by });
      const session = office.session(1, 'device');
      for (let attempt = 0; attempt <= failures; attempt += 1) await session.next(true);
      session.abandoned();
      expect(table.peek('device')?.server ?? null).toBe(home);
      expect(table.peek('device')?.state ?? 'cooling').toBe('cooling');
      expect(office.counts()).toEqual([0, 0, 0, 0]);
    }),
  );
});
