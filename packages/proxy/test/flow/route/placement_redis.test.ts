import { connectRedis, guardedTable, localTable, MemoryTable, redisTable, type StickTable } from '@limpet/state';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { until } from '../../kit/condition.ts';
import { startRedis } from '../../kit/redis.ts';
import { Crowd, steps } from '../../unit/route/crowd.ts';
import { TIMES } from '../../unit/route/office.ts';

/** The table as a worker has it. The deadline is longer than the proxy's: a busy machine must not open the circuit. */
async function openTable(url: string): Promise<{ table: StickTable; connection: ReturnType<typeof connectRedis> }> {
  const told = { onAway() {}, onBack() {}, onRefused() {} };
  const connection = connectRedis({
    target: { kind: 'server', url },
    prefix: 'limpet',
    timeoutMs: 5000,
    name: 'limpet test',
    ...told,
  });
  const shared = redisTable(connection, 'emqx', TIMES);
  const local = localTable(new MemoryTable({ size: 1000, times: TIMES }));
  await until(() => connection.circuit.isClosed, { what: 'Redis' });
  return { table: guardedTable({ connection, shared, local }), connection };
}

test('P2, P5: sessions in any order on the table in Redis: distinct candidates, right counts, no claim left behind', async () => {
  await using redis = await startRedis();
  const { table, connection } = await openTable(redis.url);
  let sessions = 0;
  try {
    await fc.assert(
      fc.asyncProperty(steps, async steps => {
        // What the proxy remembers of the last crowd stays.
        await redis.cli(['FLUSHALL']);
        const crowd = new Crowd(table);
        for (const { what, which } of steps) {
          await crowd.run(what, which);
          await crowd.check();
        }
        sessions += steps.length;
        await crowd.end();
        await crowd.check();
        for (const state of await crowd.states()) expect([undefined, 'cooling']).toContain(state);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  } finally {
    await table.close();
    await connection.close();
  }
  expect(sessions).toBeGreaterThan(100);
});
