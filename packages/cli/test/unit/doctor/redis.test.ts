/** What the doctor says of Redis, by values. */
import { describe, expect, it } from 'vitest';
import {
  type ClusterAnswer,
  judgeCluster,
  judgeSentinels,
  type SentinelAnswer,
} from '../../../src/doctor/judge/redis_group.ts';
import { judgeRedisNode, quantile, type RedisNode } from '../../../src/doctor/judge/redis_node.ts';

const GOOD: RedisNode = {
  ...{ place: '10.0.0.5:6379', isLocal: false, isEncrypted: true, hasPassword: true, trouble: null },
  ...{
    version: 'Redis 7.0.15',
    role: 'master',
    replicas: 2,
    maxmemoryBytes: 1e9,
    policy: 'noeviction',
    usedBytes: 1e6,
  },
  ...{ evictedKeys: 0, isPersistent: true, clients: 10, maxClients: 10_000 },
  ...{ asksWith: 'PING', pingsMs: [0.2, 0.3, 0.4], scriptsMs: [0.3, 0.5], forbidden: [] },
};
const WANTED = { timeoutMs: 100, prefix: 'limpet', entries: 100_000, wantsReplicas: true };

function bad(changes: Partial<RedisNode>, wanted: Partial<typeof WANTED> = {}): string[] {
  const found = judgeRedisNode({ ...GOOD, ...changes }, { ...WANTED, ...wanted });
  return found.filter(({ level }) => level !== 'ok').map(({ level, what }) => `${level}: ${what}`);
}

describe('one Redis', () => {
  it('that is as it should be, is', () => {
    expect(bad({})).toEqual([]);
    expect(judgeRedisNode(GOOD, WANTED).map(({ what }) => what)).toEqual([
      '10.0.0.5:6379 is Redis 7.0.15',
      '10.0.0.5:6379 answers PING in 0.20 ms at best, half 0.30 ms, 99 % 0.40 ms; a script 0.50 ms, 99 % 0.50 ms',
      '10.0.0.5:6379 uses 1.0 MB of 1.0 GB, noeviction; 100,000 stick entries need 20.0 MB',
      '10.0.0.5:6379: the user may do all that Limpet does',
    ]);
  });

  it.each<[Partial<RedisNode>, RegExp]>([
    [{ trouble: 'nobody listens there' }, /^problem: 10\.0\.0\.5:6379: nobody listens there$/],
    [{ policy: 'allkeys-lru' }, /^problem: .* homes of connected clients/],
    [{ policy: 'volatile-ttl' }, /^warning: .* what the proxies tell each other/],
    [{ policy: 'volatile-lru' }, /^warning: .* homes of connected clients too$/],
    [{ maxmemoryBytes: 0 }, /^note: .* has no maxmemory/],
    [{ maxmemoryBytes: 19_999_999 }, /^warning: .* need 20\.0 MB/],
    [{ evictedKeys: 3 }, /^warning: .* thrown away 3 keys/],
    [{ pingsMs: [1, 100] }, /^problem: .* longer than state\.redis\.timeout \(100 ms\)/],
    [{ scriptsMs: [1, 25] }, /^warning: .* near to state\.redis\.timeout/],
    [{ role: 'slave' }, /^problem: .* a replica and takes no writes/],
    [{ replicas: 0 }, /^warning: .* no replica/],
    [{ forbidden: ['SCAN', 'EVAL'] }, /^problem: .*: the user may not SCAN, EVAL$/],
    [{ hasPassword: false }, /^warning: .* without a password/],
    [{ isEncrypted: false }, /^note: .* without TLS/],
    [{ clients: 8_001 }, /^warning: .* 8,001 of 10,000 connections/],
    [{ isPersistent: false }, /^note: .* writes nothing to disk/],
    [{ maxmemoryBytes: null }, /^note: .* may not be asked/],
  ])('%j', (changes, expected) => {
    expect(bad(changes)).toEqual([expect.stringMatching(expected)]);
  });

  it('on this host needs no password and no TLS, and one alone no replica', () => {
    expect(
      bad({ isLocal: true, hasPassword: false, isEncrypted: false, replicas: 0 }, { wantsReplicas: false }),
    ).toEqual([]);
  });

  it.each([
    [[], 0.99, 0],
    [[1], 0.99, 1],
    [Array.from({ length: 200 }, (_, at) => at + 1), 0.99, 199],
    [[1, 2, 3], 0.5, 2],
  ])('quantile of %j', (sorted, part, value) => {
    expect(quantile(sorted, part)).toBe(value);
  });
});

describe('sentinels', () => {
  const answer: SentinelAnswer = { place: 's1:26379', trouble: null, master: '10.0.0.5:6379', quorumTrouble: null };
  it.each<[string, readonly SentinelAnswer[], RegExp[]]>([
    ['agree', [answer, answer, answer], [/^ok: 3 of 3 answer, and name 10\.0\.0\.5:6379$/]],
    ['one is away', [answer, answer, { ...answer, trouble: 'x' }], [/^warning: s1:26379: x$/, /^ok: 2 of 3/]],
    [
      'disagree',
      [answer, answer, { ...answer, master: 'b:1' }],
      [/^problem: .* different masters: 10\.0\.0\.5:6379 and b:1$/],
    ],
    ['know none', [answer, answer, { ...answer, master: null }], [/^problem: s1:26379 knows no master named mine$/]],
    [
      'are too few for a failover',
      [answer, answer, { ...answer, quorumTrouble: 'NOQUORUM' }],
      [/^ok/, /^problem: .*: NOQUORUM$/],
    ],
    ['are two', [answer, answer], [/^ok/, /^warning: 2 named/]],
    [
      'are all away',
      [1, 2, 3].map(() => ({ ...answer, trouble: 'x' })),
      [/^warning/, /^warning/, /^warning/, /^problem: no sentinel/],
    ],
  ])('%s', (_name, answers, expected) => {
    const found = judgeSentinels(answers, 'mine').map(({ level, what }) => `${level}: ${what}`);
    expect(found).toEqual(expected.map(one => expect.stringMatching(one)));
  });
});

describe('a cluster', () => {
  const whole: ClusterAnswer = { state: 'ok', slotsOk: 16_384, masters: 3 };
  it.each<[string, ClusterAnswer, RegExp[]]>([
    ['is whole', whole, [/^ok: ok, 16,384 of 16,384 slots are served by 3 masters$/]],
    ['may not be asked', { ...whole, state: null }, [/^ok: 16,384 of 16,384 slots/]],
    ['lacks slots', { ...whole, slotsOk: 10_923 }, [/^problem: ok, 10,923 of 16,384/]],
    ['fails', { ...whole, state: 'fail' }, [/^problem: fail, 16,384 of 16,384/]],
  ])('%s', (_name, answer, expected) => {
    expect(judgeCluster(answer).map(({ level, what }) => `${level}: ${what}`)).toEqual(
      expected.map(one => expect.stringMatching(one)),
    );
  });
});
