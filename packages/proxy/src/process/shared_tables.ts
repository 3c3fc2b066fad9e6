import {
  connectRedis,
  guardedTable,
  type RedisConnection,
  redisTable,
  renewEveryMs,
  type StickTable,
} from '@limpet/state';
import type { BackendConfig, RedisConfig, StickConfig } from '../config/resolved.ts';
import type { Log } from '../log.ts';
import type { Pins } from '../route/pins.ts';
import { stickTimes } from '../route/stick_times.ts';

interface Opened {
  readonly table: StickTable;
  readonly pins: Pins;
  readonly renewal: NodeJS.Timeout;
}

/** The stick tables in Redis, as one worker uses them: one connection, one guarded table a backend. */
export class SharedTables {
  readonly #connection: RedisConnection;
  readonly #opened: Opened[] = [];

  constructor(redis: RedisConfig, owner: string, log: Log) {
    this.#connection = connectRedis({
      ...redis,
      name: `limpet-${owner}`,
      onAway: reason =>
        log.warn('redis_away', { reason: reason.message }, 'Redis is away: this proxy answers for itself'),
      onBack: awayMs => {
        log.info('redis_back', { away_ms: Math.round(awayMs) }, 'Redis is back');
        // It may have come back empty, or have let entries expire: live sessions write theirs again.
        for (const opened of this.#opened) void renew(opened);
      },
      onRefused: reason => log.error('redis_refused', { reason: reason.message }, 'Redis refuses to write'),
    });
  }

  /** `local`: the primary's table, which sees what this proxy's workers confirm and answers while Redis is away. */
  open(backend: BackendConfig, stick: StickConfig, local: StickTable, pins: Pins): StickTable {
    const shared = redisTable(this.#connection, backend.name, stickTimes(backend, stick));
    const table = guardedTable({ connection: this.#connection, shared, local });
    const opened = { table, pins, renewal: setInterval(() => void renew(opened), renewEveryMs(stick.expireMs)) };
    this.#opened.push(opened);
    return table;
  }

  /** Ends when everything that was said to Redis has been answered, or its deadline has passed. */
  async close(): Promise<void> {
    for (const { table, renewal } of this.#opened) {
      clearInterval(renewal);
      await table.close();
    }
    await this.#connection.close();
  }
}

async function renew({ table, pins }: Pick<Opened, 'table' | 'pins'>): Promise<void> {
  for (const key of await table.renew(pins.all())) pins.forget(key);
}
