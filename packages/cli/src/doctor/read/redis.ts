import type { Config } from '@limpet/proxy';
import { placeText, type RedisPlace, serverOptions, sharedOptions, targetText } from '@limpet/state';
import type { ClusterAnswer, SentinelAnswer } from '../judge/redis_group.ts';
import type { RedisNode } from '../judge/redis_node.ts';
import { readCluster } from './redis_cluster.ts';
import { openRedis, type Place, readRedisNode, redisTrouble, unasked } from './redis_node.ts';
import { masterOf, readSentinel } from './redis_sentinel.ts';

type RedisConfig = Extract<Config['state'], { store: 'redis' }>['redis'];
type Target = RedisConfig['target'];

export interface RedisSeen {
  readonly nodes: readonly RedisNode[];
  /** Null: there are none by the configuration. */
  readonly sentinels: { readonly master: string; readonly answers: readonly SentinelAnswer[] } | null;
  /** Null: it is no cluster, or nobody of it answers. */
  readonly cluster: ClusterAnswer | null;
  readonly aheadMs: number | null;
}

/** Looks at all servers that keep the state. Never rejects; nothing of it holds a password. */
export async function readRedis({ target, prefix }: RedisConfig): Promise<RedisSeen> {
  try {
    if (target.kind === 'sentinel') return await throughSentinels(target, prefix);
    if (target.kind === 'cluster') return await ofCluster(target, prefix);
    const place = { shown: targetText(target), options: serverOptions(target) };
    return { ...NOBODY, ...(await together([place], prefix)) };
  } catch (error) {
    // The files of TLS, for one, may not be readable for this user.
    return { ...NOBODY, nodes: [unreached(targetText(target), redisTrouble(error))] };
  }
}

const NOBODY: RedisSeen = { nodes: [], sentinels: null, cluster: null, aheadMs: null };

async function together(places: readonly Place[], prefix: string): Promise<Pick<RedisSeen, 'nodes' | 'aheadMs'>> {
  const seen = await Promise.all(places.map(place => readRedisNode(place, prefix)));
  return {
    nodes: seen.map(({ node }) => node),
    aheadMs: seen.find(({ aheadMs }) => aheadMs !== null)?.aheadMs ?? null,
  };
}

async function throughSentinels(target: Extract<Target, { kind: 'sentinel' }>, prefix: string): Promise<RedisSeen> {
  const options = sharedOptions(target.sentinelLogin, target.sentinelTls, null);
  const answers = await Promise.all(
    target.sentinels.map(place =>
      readSentinel({ shown: placeText(place), options: { ...options, ...place } }, target.master),
    ),
  );
  const sentinels = { master: target.master, answers };
  const master = masterOf(answers);
  if (master === null) return { ...NOBODY, sentinels };
  const place = at(master, sharedOptions(target.login, target.tls, target.database));
  return { ...NOBODY, sentinels, ...(await together([place], prefix)) };
}

async function ofCluster(target: Extract<Target, { kind: 'cluster' }>, prefix: string): Promise<RedisSeen> {
  const options = sharedOptions(target.login, target.tls, null);
  const troubles: string[] = [];
  for (const seed of target.nodes) {
    const place = at(seed, options);
    try {
      const client = await openRedis(place);
      try {
        const { answer, masters } = await readCluster(client, seed);
        return {
          ...NOBODY,
          cluster: answer,
          ...(await together(
            masters.map(one => at(one, options)),
            prefix,
          )),
        };
      } finally {
        client.disconnect();
      }
    } catch (error) {
      troubles.push(`${place.shown}: ${redisTrouble(error)}`);
    }
  }
  return { ...NOBODY, nodes: [unreached(targetText(target), troubles.join('; '))] };
}

function at(place: RedisPlace, options: Place['options']): Place {
  return { shown: placeText(place), options: { ...options, ...place } };
}

function unreached(shown: string, trouble: string): RedisNode {
  return { ...unasked({ shown, options: {} }), trouble };
}
