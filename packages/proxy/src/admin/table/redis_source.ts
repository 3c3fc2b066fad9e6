import { connectRedis, type OperatorTable, redisOperatorTable, StateError } from '@limpet/state';
import { LimpetError } from '../../errors.ts';
import type { RedisSource } from './task.ts';

/** Nobody's session waits for it, and a busy Redis may take its time. */
const CALL_MS = 5000;

/** A table in Redis, on a connection of its own. Whoever opened it closes it. */
export interface OpenTable {
  readonly table: OperatorTable;
  close(): Promise<void>;
}

/** @throws StateError */
export async function openRedisTable({ redis, backend, times }: RedisSource): Promise<OpenTable> {
  let away: StateError | null = null;
  const connection = connectRedis({
    ...redis,
    timeoutMs: CALL_MS,
    name: 'limpet-table',
    onAway: reason => {
      away ??= reason;
    },
  });
  if (await connection.circuit.firstContact) {
    return { table: redisOperatorTable(connection, backend, times), close: () => connection.close() };
  }
  await connection.close();
  throw away ?? unreachable(connection.address);
}

/**
 * Does something with a table in Redis.
 * @throws StateError
 */
export async function withRedis<T>(source: RedisSource, work: (table: OperatorTable) => Promise<T>): Promise<T> {
  const { table, close } = await openRedisTable(source);
  try {
    return await work(table);
  } finally {
    await close();
  }
}

/** What went wrong with Redis, as faces tell it; anything else is passed on as it is. */
export function asLimpetError(error: unknown): unknown {
  if (!(error instanceof StateError)) return error;
  return new LimpetError(`STATE_${error.code}`, error.message, error.remedy);
}

function unreachable(address: string): StateError {
  return new StateError('REDIS_AWAY', `Redis ${address} does not answer`, 'Check that Redis runs and can be reached.');
}
