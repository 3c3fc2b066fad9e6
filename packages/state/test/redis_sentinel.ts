/** A real master with 2 replicas and 3 sentinels. Disposing of it ends all. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisTarget } from '../src/redis_target.ts';
import { RedisProcess, untilSo } from './redis_process.ts';
import { type Security, securityArgs, securityLines } from './redis_secure.ts';

const master = 'mymaster';

export class RedisSentinels implements AsyncDisposable {
  readonly servers: readonly RedisProcess[];
  readonly sentinels: readonly RedisProcess[];
  readonly #directory: string;

  private constructor(directory: string, servers: readonly RedisProcess[], sentinels: readonly RedisProcess[]) {
    this.#directory = directory;
    this.servers = servers;
    this.sentinels = sentinels;
  }

  /** `security`: TLS and users, of the servers and of the sentinels; `sentinelUser`: the further user of these. */
  static async start(security?: Security, sentinelUser = ''): Promise<RedisSentinels> {
    const directory = await mkdtemp(join(tmpdir(), 'limpet-sentinel-'));
    const serve = (port: number, ...more: readonly string[]): readonly string[] => [
      ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory],
      ...['--repl-diskless-sync-delay', '0', ...(security === undefined ? [] : securityArgs(port, security)), ...more],
    ];
    const first = await RedisProcess.start(async port => serve(port), security);
    const follow = (port: number) => Promise.resolve(serve(port, '--replicaof', '127.0.0.1', String(first.port)));
    const replicas = await Promise.all([RedisProcess.start(follow, security), RedisProcess.start(follow, security)]);
    const users = security === undefined ? undefined : { ...security, user: sentinelUser };
    const watch = (port: number) => watching(directory, port, first.port, users);
    const sentinels = await Promise.all([1, 2, 3].map(() => RedisProcess.start(watch, security)));
    const all = new RedisSentinels(directory, [first, ...replicas], sentinels);
    try {
      await all.#settle();
      return all;
    } catch (error) {
      await all[Symbol.asyncDispose]();
      throw error;
    }
  }

  get target(): Extract<RedisTarget, { kind: 'sentinel' }> {
    const sentinels = this.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
    const nothing = { login: null, database: null, tls: null, sentinelLogin: null, sentinelTls: null };
    return { kind: 'sentinel', sentinels, master, ...nothing };
  }

  /** `host:port` of the sentinels, for a configuration. */
  get places(): readonly string[] {
    return this.sentinels.map(({ place }) => place);
  }

  /** The server that most sentinels call master now. */
  async master(): Promise<RedisProcess> {
    const ports = await Promise.all(this.sentinels.map(portOfMaster));
    const most = ports.toSorted((a, b) => a - b)[Math.floor(ports.length / 2)];
    const found = this.servers.find(({ port }) => port === most);
    if (found === undefined) throw new Error(`nobody listens on port ${most}`);
    return found;
  }

  async #settle(): Promise<void> {
    await untilSo('replicas that follow, and sentinels that know all', async () => {
      const told = await Promise.all(this.sentinels.map(({ admin }) => admin.info('sentinel')));
      return told.every(info => info.includes('status=ok') && info.includes('slaves=2,sentinels=3'));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map(server => server[Symbol.asyncDispose]()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function portOfMaster({ admin }: RedisProcess): Promise<number> {
  const reply = (await admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master)) as [string, string];
  return Number(reply[1]);
}

/** A sentinel wants a file that it may write. Fast: a server counts as down after half a second. */
async function watching(
  directory: string,
  port: number,
  masterPort: number,
  security: Security | undefined,
): Promise<readonly string[]> {
  const file = join(directory, `sentinel-${port}.conf`);
  const lines = [
    ...(security === undefined ? [`port ${port}`] : securityLines(port, security)),
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor ${master} 127.0.0.1 ${masterPort} 2`,
    ...(security === undefined
      ? []
      : [`sentinel auth-pass ${master} ${security.password}`, `sentinel sentinel-pass ${security.password}`]),
    `sentinel down-after-milliseconds ${master} 500`,
    `sentinel failover-timeout ${master} 4000`,
    '',
  ];
  await writeFile(file, lines.join('\n'));
  return [file, '--sentinel'];
}
