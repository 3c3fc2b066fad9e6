/** One proxy's board on a real Redis, and what it tells and was told. */
import type { OtherProxy, ProxyBoard, ProxyNews } from '../src/proxy_board.ts';
import { redisProxyBoard } from '../src/proxy_board_redis.ts';
import { connectRedis, type RedisConnection } from '../src/redis.ts';
import type { RedisTarget } from '../src/redis_target.ts';
import { newPrefix } from './opened.ts';

export interface Told {
  readonly prefix?: string;
  readonly target: RedisTarget;
  /** How far this host's clock is off. */
  readonly skewMs?: number;
  /** Default 500. */
  readonly timeoutMs?: number;
}

export class OpenedBoard implements AsyncDisposable {
  readonly prefix: string;
  readonly board: ProxyBoard;
  readonly connection: RedisConnection;
  readonly conns = new Map([['emqx/emqx1', 0]]);
  readonly health = new Map([['emqx/emqx1', 'UP L7OK']]);
  facts: Pick<ProxyNews, 'version' | 'role' | 'ready' | 'vip'> = {
    ...{ version: '0.1.0', role: 'active', ready: true, vip: [] },
  };
  readonly refused: string[] = [];
  twins = 0;
  heard = 0;

  constructor(name: string, { prefix = newPrefix(), target, skewMs = 0, timeoutMs = 500 }: Told) {
    this.prefix = prefix;
    this.connection = connectRedis({ target, prefix, timeoutMs, name });
    this.board = redisProxyBoard(this.connection, {
      name,
      news: () => ({ ...this.facts, startedAtMs: Date.now() + skewMs, conns: this.conns, health: this.health }),
      onHeard: () => {
        this.heard += 1;
      },
      onTwin: () => {
        this.twins += 1;
      },
      onRefused: ({ code }) => this.refused.push(code),
      now: () => performance.now() + skewMs,
    });
  }

  get one(): OtherProxy | undefined {
    return this.board.others()[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.board.close();
    await this.connection.close();
  }
}
