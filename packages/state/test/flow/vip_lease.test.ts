import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, type RedisConnection, StateError, type VipLease, vipLease } from '../../src/index.ts';
import { RedisServer } from '../redis_server.ts';

describe('the lease of a virtual address in Redis', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  let count = 0;
  const one = '10.0.0.1:7946';
  const two = '10.0.0.2:7946';

  beforeAll(async () => {
    server = await RedisServer.start();
    const target = { kind: 'server', url: server.url } as const;
    connection = connectRedis({ target, prefix: 'test', timeoutMs: 1_000, name: 'vip' });
    await connection.circuit.firstContact;
  });

  afterAll(async () => {
    await connection.close();
    await server[Symbol.asyncDispose]();
  });

  /** Both hosts, at a lease of their own. */
  function pair(): { key: string; first: VipLease; second: VipLease } {
    count += 1;
    const name = `vip${count}`;
    return {
      key: `test:vip:${name}`,
      first: vipLease(connection, name, one),
      second: vipLease(connection, name, two),
    };
  }

  const first = { above: 0, index: 0, staleMs: 60_000 } as const;
  const second = { above: 0, index: 1, staleMs: 60_000 } as const;

  it('is taken once, and stands while it is renewed', async () => {
    const lease = pair();
    expect(await lease.first.look()).toBeNull();
    expect(await lease.first.take(first, 1_000)).toEqual({ is: 'taken', fence: 2 });
    expect(await server.admin.get(lease.key)).toMatch(/^10\.0\.0\.1:7946 2 \d{13}$/);
    expect(await lease.second.take(second, 1_000)).toMatchObject({ is: 'fresh', fence: 2 });
    expect(await lease.first.renew(2, 60_000)).toEqual({ kept: true, fence: 2 });
    expect(await lease.second.look()).toBe(2);
  });

  it('goes to another host when it is stale, under a higher number of its own parity; the old one is lost', async () => {
    const lease = pair();
    await lease.first.take({ ...first, above: 9 }, 1_000);
    expect(await lease.second.take({ ...second, staleMs: 0 }, 1_000)).toEqual({ is: 'taken', fence: 11 });
    expect(await lease.first.renew(10, 0)).toEqual({ kept: false, fence: 11 });
    expect(await lease.first.renew(12, 60_000)).toEqual({ kept: false, fence: 11 });
    expect(await lease.first.renew(12, 0)).toEqual({ kept: true, fence: 12 });
  });

  it('keeps its number when it is given back, and only its holder gives it back', async () => {
    const lease = pair();
    await lease.first.take(first, 1_000);
    await lease.second.give(2);
    expect(await server.admin.get(lease.key)).toMatch(/^10\.0\.0\.1:7946 2 /);
    await lease.first.give(2);
    expect(await server.admin.get(lease.key)).toMatch(/^- 2 /);
    expect(await lease.second.take(second, 1_000)).toEqual({ is: 'taken', fence: 3 });
  });

  it('tells its holder of a number that it took without hearing of it', async () => {
    const lease = pair();
    await lease.first.take({ ...first, above: 20 }, 1_000);
    expect(await lease.first.renew(4, 60_000)).toEqual({ kept: true, fence: 22 });
  });

  it.each(['rubbish', '10.0.0.2:7946 7', '- - -', ''])('begins anew where %j was written by hand', async value => {
    const lease = pair();
    await server.admin.set(lease.key, value);
    expect(await lease.first.look()).toBeNull();
    expect(await lease.first.take(first, 1_000)).toEqual({ is: 'taken', fence: 2 });
  });

  it.each([`${two} 99999999999999999999 1`, `- ${2 ** 52} 1`])('gives no number to both after %j', async value => {
    const lease = pair();
    await server.admin.set(lease.key, value);
    expect(await lease.first.take({ ...first, above: 6 }, 1_000)).toEqual({ is: 'taken', fence: 8 });
    expect(await lease.second.take({ ...second, above: 6, staleMs: 0 }, 1_000)).toEqual({ is: 'taken', fence: 9 });
    await server.admin.set(lease.key, value);
    expect(await lease.second.renew(9, 60_000)).toEqual({ kept: true, fence: 9 });
  });

  it('keeps numbers exact that count from a clock', async () => {
    const lease = pair();
    const above = 1_795_199_922;
    expect(await lease.first.take({ ...first, above }, 1_000)).toEqual({ is: 'taken', fence: above + 2 });
    expect(await lease.first.renew(above + 2, 0)).toEqual({ kept: true, fence: above + 2 });
  });

  it('rejects with the reason where the key holds something else', async () => {
    const lease = pair();
    await server.admin.hset(lease.key, 'a', 'b');
    await expect(lease.first.take(first, 1_000)).rejects.toThrow(StateError);
  });
});
