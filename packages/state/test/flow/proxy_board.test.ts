import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newPrefix } from '../opened.ts';
import { OpenedBoard, type Told } from '../opened_board.ts';
import { RedisServer } from '../redis_server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Of a redis-server of its own, or of the one that the tests here share. */
function open(
  name: string,
  { redis = server, ...told }: Omit<Told, 'target'> & { readonly redis?: RedisServer } = {},
): OpenedBoard {
  return new OpenedBoard(name, { ...told, target: { kind: 'server', url: redis.url } });
}

const patience = { timeout: 10_000, interval: 20 };

async function waitFor(what: () => unknown): Promise<void> {
  await vi.waitFor(what, patience);
}

describe.concurrent('two proxies', () => {
  it('know of each other, of counts and of verdicts, whatever their clocks say, and redis-cli shows it all', async () => {
    await using one = open('lb1', { skewMs: -7 * 3_600_000 });
    await using two = open('lb2', { prefix: one.prefix, skewMs: 11 * 3_600_000 });
    one.conns.set('emqx/emqx1', 12);
    two.health.set('emqx/emqx1', 'DOWN L4CON Layer4 connection problem (ECONNREFUSED)');
    two.facts = { version: '0.2.0', role: 'standby', ready: false, vip: ['10.0.0.100'] };
    await waitFor(() =>
      expect(two.one).toMatchObject({ name: 'lb1', isAlive: true, conns: new Map([['emqx/emqx1', 12]]) }),
    );
    await waitFor(() =>
      expect(one.one).toMatchObject({
        ...{ name: 'lb2', version: '0.2.0', role: 'standby', ready: false, vip: ['10.0.0.100'], isAlive: true },
        health: new Map([['emqx/emqx1', 'DOWN L4CON Layer4 connection problem (ECONNREFUSED)']]),
      }),
    );
    expect(one.one?.beatAgeMs).toBeLessThan(3000);
    const { admin } = server;
    expect(await admin.hgetall(`${one.prefix}:conns:lb1`)).toEqual({ 'emqx/emqx1': '12' });
    expect(await admin.hgetall(`${one.prefix}:health:lb1`)).toEqual({ 'emqx/emqx1': 'UP L7OK' });
    const words = (await admin.hgetall(`${one.prefix}:proxies`)) as Record<string, string>;
    expect(words.lb2).toMatch(
      /^version=0\.2\.0 start=\S+Z role=standby ready=no vip=10\.0\.0\.100 instance=[0-9a-f]{8} beat=\d{10}\.\d{3}$/,
    );
    for (const sheet of ['conns:lb1', 'health:lb2']) {
      const ttlMs = await admin.pttl(`${one.prefix}:${sheet}`);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(3000);
    }
    expect([one.twins, two.twins, one.refused, two.refused]).toEqual([0, 0, [], []]);
  });

  it('a change of counts is known to the other one within a few exchanges', async () => {
    await using one = open('lb1');
    await using two = open('lb2', { prefix: one.prefix });
    await waitFor(() => expect(two.one?.conns).toEqual(new Map([['emqx/emqx1', 0]])));
    await waitFor(() => expect(one.one?.isAlive).toBe(true));
    const before = two.heard;
    one.conns.set('emqx/emqx1', 1);
    await waitFor(() => expect(two.one?.conns).toEqual(new Map([['emqx/emqx1', 1]])));
    expect(two.heard - before).toBeLessThan(12);
  });

  it('one that leaves is gone at once, with what it told', async () => {
    await using one = open('lb1');
    {
      await using _two = open('lb2', { prefix: one.prefix });
      await waitFor(() => expect(one.one?.conns).toBeInstanceOf(Map));
      await waitFor(() => expect(one.one?.health).toBeInstanceOf(Map));
    }
    const { admin } = server;
    expect(await admin.keys(`${one.prefix}:*:lb2`)).toEqual([]);
    expect(await admin.hkeys(`${one.prefix}:proxies`)).toEqual(['lb1']);
    await waitFor(() => expect(one.board.others()).toEqual([]));
  });

  it('one that dies is silent after 3 s by all clocks, its counts are gone, and after an hour so is its name', async () => {
    await using one = open('lb1');
    const two = open('lb2', { prefix: one.prefix });
    await waitFor(() => expect(one.one?.conns).toBeInstanceOf(Map));
    two.board.handOver();
    await waitFor(() => expect(one.one).toMatchObject({ isAlive: false, conns: null, health: null }));
    expect(one.one?.beatAgeMs).toBeGreaterThan(3000);
    await waitFor(async () => expect(await server.admin.exists(`${one.prefix}:conns:lb2`)).toBe(0));
    await two[Symbol.asyncDispose]();
    const key = `${one.prefix}:proxies`;
    const words = (await server.admin.hget(key, 'lb2')) ?? '';
    const [seconds] = await server.admin.time();
    const [live, dead] = [3_590, 3_610].map(agoS => words.replace(/beat=.*/, `beat=${Number(seconds) - agoS}.000`));
    await server.admin.hset(key, 'lb2', live ?? '', 'lb3', dead ?? '');
    await waitFor(async () => expect((await server.admin.hkeys(key)).sort()).toEqual(['lb1', 'lb2']));
  });
});

describe.concurrent('one name', () => {
  it('two processes of it tell at once: each is told of that once', async () => {
    await using one = open('lb1');
    await using twin = open('lb1', { prefix: one.prefix });
    await waitFor(() => expect([one.twins, twin.twins]).toEqual([1, 1]));
    const heard = one.heard;
    await waitFor(() => expect(one.heard).toBeGreaterThan(heard + 2));
    expect([one.twins, twin.twins]).toEqual([1, 1]);
  });

  it('a successor takes the field over; the process before it leaves it alone, and is no twin', async () => {
    await using successor = await (async () => {
      await using before = open('lb1');
      await waitFor(async () => expect(await server.admin.hexists(`${before.prefix}:proxies`, 'lb1')).toBe(1));
      const next = open('lb1', { prefix: before.prefix });
      next.facts = { version: '0.2.0', role: 'active', ready: true, vip: [] };
      await waitFor(async () => expect(await server.admin.hget(`${before.prefix}:proxies`, 'lb1')).toContain('0.2.0'));
      before.board.handOver();
      before.board.tellNow();
      expect(before.board.others()).toEqual([]);
      return next;
    })();
    const heard = successor.heard;
    await waitFor(() => expect(successor.heard).toBeGreaterThan(heard + 3));
    expect(await server.admin.hget(`${successor.prefix}:proxies`, 'lb1')).toContain('version=0.2.0');
    expect(await server.admin.exists(`${successor.prefix}:conns:lb1`)).toBe(1);
    expect(successor.twins).toBe(0);
  });

  it('one that is started again after a kill is not its own twin', async () => {
    await using killed = open('lb1');
    await waitFor(async () => expect(await server.admin.hexists(`${killed.prefix}:proxies`, 'lb1')).toBe(1));
    killed.board.handOver();
    await using again = open('lb1', { prefix: killed.prefix });
    await waitFor(() => expect(again.heard).toBeGreaterThan(4));
    expect(again.twins).toBe(0);
  });
});

describe.concurrent('what others have written', () => {
  it('a later release: unknown words, another order, other keys and verdicts are no trouble', async () => {
    await using one = open('lb1');
    const [seconds] = await server.admin.time();
    const words = `beat=${seconds}.5 zone=eu role=active version=9.0.0 lease=7`;
    await server.admin.hset(`${one.prefix}:proxies`, 'lb9', words);
    await server.admin.hset(`${one.prefix}:conns:lb9`, 'emqx/emqx1', '4', 'emqx/emqx2', '4 of 9', 'total', '8');
    await server.admin.hset(`${one.prefix}:health:lb9`, 'emqx/emqx1', 'UP L8OK since=7');
    await waitFor(() =>
      expect(one.one).toMatchObject({
        ...{ name: 'lb9', version: '9.0.0', role: 'active', vip: [], startedAtMs: 0 },
        conns: new Map([['emqx/emqx1', 4]]),
        health: new Map([['emqx/emqx1', 'UP L8OK since=7']]),
      }),
    );
    expect(one.refused).toEqual([]);
  });

  it('garbage in the hashes is passed over, and the rest is used', async () => {
    await using one = open('lb1');
    await using two = open('lb2', { prefix: one.prefix });
    const key = `${one.prefix}:proxies`;
    await server.admin.hset(key, 'a b', 'beat=1', 'lb3', '\u0000\u001b[2J', 'lb4', `beat=${'9'.repeat(300)}`);
    await server.admin.hset(key, 'lb5', `${'x'.repeat(2000)} beat=1`, 'x'.repeat(300), 'beat=1');
    await server.admin.hset(key, ...Array.from({ length: 400 }, (_, i) => [`junk${i}`, 'junk']).flat());
    await waitFor(() => expect([one.one?.name, two.one?.name]).toEqual(['lb2', 'lb1']));
    expect([one.board.others().length, one.refused]).toEqual([1, []]);
  });

  it('a key of another type where counts belong is replaced; where the names belong it is told of, once', async () => {
    const prefix = newPrefix();
    const { admin } = server;
    await admin.set(`${prefix}:proxies`, 'a string');
    await admin.set(`${prefix}:conns:lb1`, 'a string');
    await using one = open('lb1', { prefix });
    await waitFor(() => expect(one.heard).toBeGreaterThan(2));
    expect(one.refused).toEqual(['REDIS_ENTRY']);
    expect(await admin.hgetall(`${prefix}:conns:lb1`)).toEqual({ 'emqx/emqx1': '0' });
    expect(one.connection.circuit.isClosed).toBe(true);
    await admin.del(`${prefix}:proxies`);
    await waitFor(async () => expect(await admin.hexists(`${prefix}:proxies`, 'lb1')).toBe(1));
    await using two = open('lb2', { prefix });
    await waitFor(() => expect(two.one?.conns).toBeInstanceOf(Map));
    // Of another proxy's counts that cannot be read nothing is known; the proxy is there all the same.
    await admin.set(`${prefix}:conns:lb9`, 'a string');
    const [seconds] = await admin.time();
    await admin.hset(`${prefix}:proxies`, 'lb9', `version=1 beat=${seconds}.000`);
    await waitFor(() => expect(two.board.others().map(({ name }) => name)).toEqual(['lb1', 'lb9']));
    expect(two.board.others()[1]?.conns).toBeNull();
  });

  it('of another proxy that tells of more servers than there can be nothing is read', async () => {
    await using one = open('lb1');
    const lines = Array.from({ length: 4097 }, (_, i) => [`emqx/s${i}`, '1']).flat();
    await server.admin.hset(`${one.prefix}:conns:lb2`, ...lines);
    await using two = open('lb3', { prefix: one.prefix });
    const [seconds] = await server.admin.time();
    await server.admin.hset(`${one.prefix}:proxies`, 'lb2', `version=1 beat=${seconds}.000`);
    await waitFor(() => expect(two.board.others().find(({ name }) => name === 'lb2')?.conns).toEqual(new Map()));
  });
});

describe.concurrent('Redis is away', () => {
  it('others are forgotten after 3 s, nothing waits, and all is there again with it', async () => {
    await using redis = await RedisServer.start();
    await using one = open('lb1', { redis });
    await using two = open('lb2', { redis, prefix: one.prefix });
    await waitFor(() => expect([one.one?.conns, two.one?.conns]).toEqual([two.conns, one.conns]));
    await redis.kill();
    await waitFor(() => expect(one.connection.circuit.isClosed).toBe(false));
    expect(one.one?.conns).toEqual(new Map([['emqx/emqx1', 0]]));
    await waitFor(() => expect(one.one).toMatchObject({ isAlive: false, conns: null }));
    await redis.start();
    await waitFor(() => expect(one.one).toMatchObject({ name: 'lb2', isAlive: true, conns: two.conns }));
    expect([one.twins, two.twins]).toEqual([0, 0]);
  });

  it('frozen, with a long deadline: whoever uses what the others said hears that it counts no more', async () => {
    await using redis = await RedisServer.start();
    await using one = open('lb1', { redis, timeoutMs: 2000 });
    await using two = open('lb2', { redis, prefix: one.prefix, timeoutMs: 2000 });
    await waitFor(() => expect(one.one).toMatchObject({ name: 'lb2', conns: two.conns }));
    redis.freeze();
    await waitFor(() => expect(one.one?.conns).toBe(null));
    const { heard } = one;
    // Its exchange goes on waiting for 10 s.
    await vi.waitFor(() => expect(one.heard).toBeGreaterThan(heard), { timeout: 3000 });
    expect(one.connection.circuit.isClosed).toBe(true);
    redis.thaw();
    await waitFor(() => expect(one.one).toMatchObject({ isAlive: true, conns: two.conns }));
  });

  it('a frozen Redis holds nobody up at the end', async () => {
    await using redis = await RedisServer.start();
    const one = open('lb1', { redis });
    await waitFor(async () => expect(await redis.admin.hexists(`${one.prefix}:proxies`, 'lb1')).toBe(1));
    redis.freeze();
    const startedMs = performance.now();
    await one[Symbol.asyncDispose]();
    expect(performance.now() - startedMs).toBeLessThan(6000);
    redis.thaw();
  });

  it('a user without the right to these keys is told of once', async () => {
    await using redis = await RedisServer.start();
    await using one = open('lb1', { redis });
    await waitFor(async () => expect(await redis.admin.hexists(`${one.prefix}:proxies`, 'lb1')).toBe(1));
    await redis.admin.acl('SETUSER', 'default', 'resetkeys', `~${one.prefix}:stick:*`, `~${one.prefix}:probe`);
    await waitFor(() => expect(one.refused).toEqual(['REDIS_REFUSED']));
    const heard = one.heard;
    await waitFor(() => expect(one.heard).toBeGreaterThan(heard + 2));
    expect(one.refused).toEqual(['REDIS_REFUSED']);
  });
});
