import { placeText, type RedisPlace } from '@limpet/state';
import type { Redis } from 'ioredis';
import type { ClusterAnswer } from '../judge/redis_group.ts';

/** What one server of a cluster tells of it. `seed`: where it was asked. @throws what Redis or the connection says */
export async function readCluster(
  client: Redis,
  seed: RedisPlace,
): Promise<{ readonly answer: ClusterAnswer; readonly masters: readonly RedisPlace[] }> {
  const info = String(await client.cluster('INFO'));
  const members = membersOf(String(await client.cluster('NODES')), seed.host);
  const masters = members.filter(({ isMaster, hasSlots }) => isMaster && hasSlots);
  const value = (name: string): string => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
  return {
    answer: {
      state: value('cluster_state'),
      slotsOk: Number(value('cluster_slots_ok')),
      masters: masters.map(({ id, place, isFailing }) => ({
        place: placeText(place),
        replicas: members.filter(one => one.masterId === id && !one.isFailing).length,
        isFailing,
      })),
    },
    masters: masters.filter(({ isFailing }) => !isFailing).map(({ place }) => place),
  };
}

interface Member {
  readonly id: string;
  readonly place: RedisPlace;
  readonly isMaster: boolean;
  readonly isFailing: boolean;
  /** Of a replica. */
  readonly masterId: string;
  readonly hasSlots: boolean;
}

/** `ID HOST:PORT@BUS[,NAME] FLAGS MASTER PING PONG EPOCH STATE SLOT…`; one that knows no address of its own leaves it out. */
export function membersOf(text: string, askedAt: string): readonly Member[] {
  return text.split('\n').flatMap(line => {
    const [id = '', address = '', flags = '', masterId = '', , , , , ...slots] = line.trim().split(' ');
    const [, host = '', port = ''] = /^(.*):(\d+)@/.exec(address) ?? [];
    if (port === '') return [];
    return [
      {
        ...{ id, masterId, place: { host: host === '' ? askedAt : host, port: Number(port) } },
        isMaster: flags.split(',').includes('master'),
        isFailing: /(?:^|,)(?:fail\??|noaddr)(?:,|$)/.test(flags),
        hasSlots: slots.length > 0,
      },
    ];
  });
}
