import { type AdminStore, connectRedis, memoryAdminStore, type RedisConnection, redisAdminStore } from '@limpet/state';
import type { Config } from '../config/resolved.ts';
import type { Log } from '../log.ts';

/** What the primary itself has in the shared state: what operators have said, and the way there for the ticket keys. */
export class PrimaryStore {
  /** Null: `store: memory`. */
  readonly connection: RedisConnection | null;
  readonly admin: AdminStore;

  constructor({ global, state, backends }: Config, log: Log) {
    if (state.store === 'memory') {
      this.connection = null;
      this.admin = memoryAdminStore();
      return;
    }
    this.connection = connectRedis({ ...state.redis, name: `limpet-${global.name}-primary` });
    this.admin = redisAdminStore(
      this.connection,
      backends.map(({ name }) => name),
      {
        onUnknown: (backend, server, what) => {
          const message = `${state.redis.prefix}:admin:${backend} says of ${server}: ${what}, which means nothing`;
          log.warn('admin_unknown', { backend, server, what }, message);
        },
      },
    );
  }

  /** Resolves when it is known what operators have said, or that Redis is away. */
  async start(): Promise<void> {
    await this.admin.loaded();
  }

  /** Of backends that come with a reload it is known what operators have said before anybody is sent there. */
  async prepare({ backends }: Config): Promise<{ commit(): void; abort(): void }> {
    await this.admin.learn(backends.map(({ name }) => name));
    return { commit() {}, abort() {} };
  }

  reconfigure({ backends }: Config): void {
    this.admin.setBackends(backends.map(({ name }) => name));
  }

  async close(): Promise<void> {
    await this.admin.close();
    await this.connection?.close();
  }
}
