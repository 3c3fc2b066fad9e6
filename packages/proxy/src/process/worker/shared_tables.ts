import {
  connectRedis,
  guardedTable,
  type RedisConnection,
  redisTable,
  type SharedTable,
  type StickTable,
} from '@limpet/state';
import type { BackendConfig, RedisConfig, StickConfig } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import { stickTimes } from '../../route/stick_times.ts';

/** The stick tables in Redis, as one worker uses them: one connection, one guarded table a backend. */
export class SharedTables {
  readonly #connection: RedisConnection;
  /** backend → its table, also of one that is gone: it may still have something to write. */
  readonly #tables = new Map<string, { readonly shared: SharedTable; readonly table: StickTable }>();

  /** `onBack`: Redis is there again. It may be empty, or have let entries expire meanwhile. */
  constructor(redis: RedisConfig, owner: string, log: Log, onBack: () => void) {
    this.#connection = connectRedis({
      ...redis,
      name: `limpet-${owner}`,
      onAway: reason => {
        const fields = { code: reason.code, reason: reason.message, remedy: reason.remedy };
        const who = redis.target.kind === 'cluster' ? 'a part of Redis' : 'Redis';
        log.warn('redis_away', fields, `${who} is away: this proxy answers for itself`);
      },
      onBack: awayMs => {
        log.info('redis_back', { away_ms: Math.round(awayMs) }, 'Redis is back');
        onBack();
      },
      onRefused: reason => {
        const fields = { code: reason.code, reason: reason.message, remedy: reason.remedy };
        log.error('redis_refused', fields, 'Redis refuses to write');
      },
    });
  }

  /**
   * The table of a backend; one that is open already goes over to these times.
   * `local`: the primary's table, which sees what this proxy's workers confirm and answers while Redis is away.
   */
  open(backend: BackendConfig, stick: StickConfig, local: StickTable): StickTable {
    const times = stickTimes(backend, stick);
    const known = this.#tables.get(backend.name);
    known?.shared.reconfigure(times);
    if (known !== undefined) return known.table;
    const shared = redisTable(this.#connection, backend.name, times);
    const table = guardedTable({ connection: this.#connection, shared, local });
    this.#tables.set(backend.name, { shared, table });
    return table;
  }

  /** Ends when everything that was said to Redis has been answered, or is past its deadline. */
  async close(): Promise<void> {
    // A session's last word goes to the local table first, and to Redis in a later turn.
    await new Promise(resolve => setImmediate(resolve));
    for (const { table } of this.#tables.values()) await table.close();
    await this.#connection.close();
  }
}
