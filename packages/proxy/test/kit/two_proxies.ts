/**
 * Two proxies, `lb1` and `lb2`, that share one Redis, each on a port of its own: as behind two addresses of one name.
 */
import { type ClusterConfig, startCluster } from './cluster.ts';
import { until } from './condition.ts';
import { faceAddress } from './faces.ts';
import type { Limpet } from './limpet.ts';
import type { RedisServer } from './redis.ts';

/** A proxy as `/api/v1/proxies` tells of it. */
export interface ApiProxy {
  readonly name: string;
  readonly self: boolean;
  readonly state: 'alive' | 'silent';
  readonly ready: boolean | null;
  readonly conns: number | null;
}

/** Starts both, and waits until each knows of the other. `two`: what is different there. */
export async function startTwoProxies(
  redis: RedisServer,
  config: Omit<ClusterConfig, 'redis'>,
  two: Partial<Omit<ClusterConfig, 'redis'>> = {},
): Promise<TwoProxies> {
  const start = (name: string, more: Partial<ClusterConfig>): Promise<Limpet> =>
    startCluster({ ...config, ...more, redis, global: { ...config.global, name, stats: { bind: '127.0.0.1:0' } } });
  const proxies = new TwoProxies(await start('lb1', {}), await start('lb2', two));
  await proxies.know();
  return proxies;
}

/** Disposing of it ends both. */
export class TwoProxies implements AsyncDisposable {
  readonly one: Limpet;
  readonly two: Limpet;

  constructor(one: Limpet, two: Limpet) {
    this.one = one;
    this.two = two;
  }

  get both(): readonly Limpet[] {
    return [this.one, this.two];
  }

  /** Resolves when each sees the other one, and what it counts. */
  async know(): Promise<void> {
    for (const limpet of this.both) {
      const others = async (): Promise<readonly ApiProxy[]> => (await proxiesOf(limpet)).filter(({ self }) => !self);
      const isKnown = ({ state, conns }: ApiProxy): boolean => state === 'alive' && conns !== null;
      await until(async () => (await others()).some(isKnown), { what: 'two proxies that know each other' });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.both.map(limpet => limpet[Symbol.asyncDispose]()));
  }
}

/** Sets a server of the backend `mqtt` as an operator does who has `redis-cli` alone, and waits until both proxies obey. */
export async function setServer(redis: RedisServer, server: string, words: 'ready' | 'drain'): Promise<void> {
  await redis.cli(['hset', 'limpet:admin:mqtt', server, words]);
  const expected = words === 'drain' ? 'DRAIN' : 'UP';
  for (const name of ['lb1', 'lb2']) {
    const verdict = (): Promise<string> => redis.cli(['hget', `limpet:health:${name}`, `mqtt/${server}`]);
    await until(async () => (await verdict()).startsWith(expected), { what: `${name} that has ${server} in ${words}` });
  }
}

/** What a proxy says of all of them; itself first. */
export async function proxiesOf(limpet: Limpet): Promise<readonly ApiProxy[]> {
  const response = await fetch(`http://${faceAddress(limpet, 'stats')}/api/v1/proxies`);
  return ((await response.json()) as { readonly proxies: readonly ApiProxy[] }).proxies;
}

/** Resolves when a proxy knows that the other one has so many connections. */
export async function knowsConns(limpet: Limpet, conns: number): Promise<void> {
  let seen: readonly ApiProxy[] = [];
  const isKnown = async (): Promise<boolean> => {
    seen = await proxiesOf(limpet);
    return seen.some(proxy => !proxy.self && proxy.conns === conns);
  };
  await until(isKnown, { what: `${conns} connections of the other proxy`, seen: () => JSON.stringify(seen) });
}
