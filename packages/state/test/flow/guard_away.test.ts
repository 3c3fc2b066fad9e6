/** Redis goes away in every way it can; nobody is refused, and everybody goes home. */
import { describe, expect, it, vi } from 'vitest';
import type { ClaimAnswer } from '../../src/contract.ts';
import { Gate } from '../gate.ts';
import { Worker } from '../opened.ts';
import { RedisServer } from '../redis_server.ts';

const usable = ['a', 'b', 'c'];
const ann = { owner: 'lb1/1', epoch: 1 };
const pinOf = (key: string, server: string, epoch = 1) => ({ key, server, by: { owner: 'lb1/1', epoch } });
const look = (worker: Worker, key: string): Promise<ClaimAnswer> =>
  worker.table.claim({ key, usable, candidate: null, by: ann });
const offer = (worker: Worker, key: string, candidate: string): Promise<ClaimAnswer> =>
  worker.table.claim({ key, usable, candidate, by: ann });

async function until(worker: Worker, last: RegExp): Promise<void> {
  await vi.waitFor(() => expect(worker.heard.at(-1)).toMatch(last), 15_000);
}

describe('P4: no client is refused because of Redis', () => {
  it('killed and restarted empty: known clients go home meanwhile and afterwards', async () => {
    await using server = await RedisServer.start();
    await using worker = await Worker.there({ url: server.url, prefix: 'limpet' });
    await worker.table.confirm(pinOf('live', 'a'));
    await worker.table.confirm(pinOf('left', 'b'));
    await worker.table.release(pinOf('left', 'b'));

    await server.kill();
    await until(worker, /^away: Redis unix:.*closed/);
    expect(await look(worker, 'live')).toEqual({ kind: 'held', server: 'a', degraded: true });
    expect(await look(worker, 'left')).toEqual({ kind: 'held', server: 'b', degraded: true });
    expect(await look(worker, 'new')).toEqual({ kind: 'free', displaced: null, degraded: true });
    expect(await offer(worker, 'new', 'c')).toMatchObject({ kind: 'claimed', server: 'c', degraded: true });
    await worker.table.confirm(pinOf('new', 'c'));
    expect(worker.table.unwritten.waiting).toBe(1);

    await server.start();
    await until(worker, /^back$/);
    expect(worker.heard).toHaveLength(2);
    expect(worker.table.unwritten).toEqual({ waiting: 0, dropped: 0 });
    expect(await server.admin.get('limpet:stick:emqx:new')).toBe('c|lb1/1|1|o');
    // Redis has lost these; the caller's placer finds them in the local table, and offers their homes.
    for (const [key, home] of Object.entries({ live: 'a', left: 'b' })) {
      expect(await look(worker, key)).toEqual({ kind: 'free', displaced: null, degraded: false });
      expect(worker.memory.peek(key)?.server).toBe(home);
      expect(await offer(worker, key, home)).toMatchObject({ kind: 'claimed', server: home, degraded: false });
    }
    await worker.table.renew([pinOf('live', 'a')]);
    expect(await server.admin.get('limpet:stick:emqx:live')).toBe('a|lb1/1|1|o');
  });

  it('frozen: answers come within the deadline, then at once; stale commands do no harm after the thaw', async () => {
    await using server = await RedisServer.start();
    await using worker = await Worker.there({ url: server.url, prefix: 'limpet', timeoutMs: 100 });
    await worker.table.confirm(pinOf('known', 'a'));
    server.freeze();

    // Three sessions are on their way when it freezes; `moved` is confirmed on a, comes back, and must go to b.
    const started = performance.now();
    const stale = worker.table.confirm(pinOf('moved', 'a'));
    const raw = expect(worker.shared.confirm(pinOf('raw', 'a'))).rejects.toMatchObject({ code: 'REDIS_TIMEOUT' });
    const answers = await Promise.all([look(worker, 'known'), look(worker, 'x')]);
    await stale;
    await raw;
    expect(performance.now() - started).toBeLessThan(1000);
    expect(answers.map(answer => answer.degraded)).toEqual([true, true]);
    expect(worker.heard).toEqual([expect.stringMatching(/^away: .*did not answer within 100 ms/)]);
    const by = { owner: 'lb1/1', epoch: 2 };
    const moved = await worker.table.claim({ key: 'moved', usable: ['b'], candidate: 'b', by });
    expect(moved).toEqual({ kind: 'claimed', server: 'b', displaced: 'a', degraded: true });
    await worker.table.confirm({ key: 'moved', server: 'b', by });
    expect(await look(worker, 'known')).toMatchObject({ kind: 'held', server: 'a', degraded: true });

    server.thaw();
    await until(worker, /^back$/);
    expect(await server.admin.get('limpet:stick:emqx:raw')).toBe('a|lb1/1|1|o');
    expect(await server.admin.get('limpet:stick:emqx:moved')).toBe('b|lb1/1|2|o');
    expect(await look(worker, 'known')).toEqual({ kind: 'held', server: 'a', degraded: false });
    expect(worker.heard).toHaveLength(2);
  });

  it('slow, but within the deadline: is waited for, and decides', async () => {
    await using server = await RedisServer.start();
    await using gate = await Gate.start(`${server.directory}/gate.sock`, server.socketPath);
    await using worker = await Worker.there({ url: `unix://${gate.path}` });
    gate.delayMs = 300;
    for (let i = 0; i < 5; i++) {
      expect(await offer(worker, `k${i}`, 'a')).toMatchObject({ kind: 'claimed', degraded: false });
    }
    expect(worker.heard).toEqual([]);
  });

  it('slower than the deadline: is away', async () => {
    await using server = await RedisServer.start();
    await using gate = await Gate.start(`${server.directory}/gate.sock`, server.socketPath);
    await using worker = await Worker.there({ url: `unix://${gate.path}`, timeoutMs: 100 });
    gate.delayMs = 300;
    for (let i = 0; i < 3; i++) expect(await offer(worker, `k${i}`, 'a')).toMatchObject({ degraded: true });
    expect(worker.heard).toEqual([expect.stringMatching(/^away: .*did not answer/)]);
    gate.delayMs = 0;
    await until(worker, /^back$/);
  });

  it('our own long turn of the event loop is not held against Redis', async () => {
    await using server = await RedisServer.start();
    await using worker = await Worker.there({ url: server.url, timeoutMs: 100 });
    const claims = Array.from({ length: 10 }, (_, i) => offer(worker, `k${i}`, 'a'));
    const endMs = performance.now() + 250;
    while (performance.now() < endMs) Math.hypot(1, 2);
    for (const claim of claims) expect(await claim).toMatchObject({ kind: 'claimed', degraded: false });
    expect(worker.heard).toEqual([]);
  });

  it('cut in the middle of a batch: the rest is renewed on return', async () => {
    await using server = await RedisServer.start();
    await using gate = await Gate.start(`${server.directory}/gate.sock`, server.socketPath);
    await using worker = await Worker.there({ url: `unix://${gate.path}`, prefix: 'limpet' });
    const pins = Array.from({ length: 1000 }, (_, i) => pinOf(`device-${i}`, 'a'));
    gate.cutAfterBytes = 1001;
    expect(await worker.table.renew(pins)).toEqual([]);
    await until(worker, /^back$/);
    const written = await server.admin.dbsize();
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(1000);
    expect(await worker.table.renew(pins)).toEqual([]);
    expect(await server.admin.dbsize()).toBe(1000);
  });

  it('loading: is away until it has loaded', async () => {
    await using server = await RedisServer.start();
    for (let i = 0; i < 2000; i++) void server.admin.set(`filler-${i}`, 'x');
    await server.admin.set('limpet:stick:emqx:k', 'b|lb2/1|1|c', 'PX', 100_000);
    await server.admin.save();
    await using worker = await Worker.there({ url: server.url, prefix: 'limpet' });
    await server.kill();
    await until(worker, /^away/);
    await server.start('--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024');
    expect(await offer(worker, 'other', 'a')).toMatchObject({ kind: 'claimed', degraded: true });
    await until(worker, /^back$/);
    expect(await look(worker, 'k')).toEqual({ kind: 'held', server: 'b', degraded: false });
  });

  it('a replica refuses writes: away, until it is a master', async () => {
    await using server = await RedisServer.start();
    await using worker = await Worker.there({ url: server.url });
    await server.admin.replicaof('127.0.0.1', 1);
    expect(await offer(worker, 'k', 'a')).toMatchObject({ kind: 'claimed', degraded: true });
    expect(worker.heard).toEqual([expect.stringMatching(/^away: .*READONLY/)]);
    await server.admin.replicaof('NO', 'ONE');
    await until(worker, /^back$/);
  });

  it('P11: a wrong password is told once and without itself, and tried again', async () => {
    await using server = await RedisServer.start();
    await server.admin.config('SET', 'requirepass', 'other');
    await using worker = new Worker({ url: `unix://:s3cret@${server.socketPath}` });
    expect(await worker.connection.circuit.firstContact).toBe(false);
    expect(await offer(worker, 'k', 'a')).toMatchObject({ kind: 'claimed', degraded: true });
    expect(worker.heard).toEqual([expect.stringMatching(/^away: Redis unix:\/\/:\*\*\*@.*WRONGPASS/)]);
    await server.admin.config('SET', 'requirepass', 's3cret');
    await until(worker, /^back$/);
    expect(worker.heard.join()).not.toContain('s3cret');
  });

  it('a password that was not given', async () => {
    await using server = await RedisServer.start();
    await server.admin.config('SET', 'requirepass', 'other');
    await using worker = new Worker({ url: server.url });
    expect(await worker.connection.circuit.firstContact).toBe(false);
    expect(worker.heard).toEqual([expect.stringMatching(/^away: .*NOAUTH/)]);
  });

  it('full: what is there is still read and renewed, the rest is local and written later', async () => {
    await using server = await RedisServer.start();
    await using worker = await Worker.there({ url: server.url, prefix: 'limpet' });
    await worker.table.confirm(pinOf('known', 'a'));
    await server.admin.config('SET', 'maxmemory', '1');
    expect(await look(worker, 'known')).toEqual({ kind: 'held', server: 'a', degraded: false });
    await server.admin.pexpire('limpet:stick:emqx:known', 1000);
    await worker.table.renew([pinOf('vanished', 'a'), pinOf('known', 'a')]);
    expect(await server.admin.pttl('limpet:stick:emqx:known')).toBeGreaterThan(1000);
    for (const key of ['new1', 'new2']) {
      expect(await offer(worker, key, 'b')).toMatchObject({ kind: 'claimed', server: 'b', degraded: true });
      await worker.table.confirm(pinOf(key, 'b'));
      expect(await look(worker, key)).toMatchObject({ kind: 'held', server: 'b' });
    }
    expect(worker.connection.circuitAt(0).state).toBe('closed');
    expect(worker.heard).toEqual([expect.stringMatching(/^refused: .*OOM/)]);
    await server.admin.config('SET', 'maxmemory', '0');
    await vi.waitFor(() => expect(worker.table.unwritten.waiting).toBe(0), 10_000);
    expect(await server.admin.get('limpet:stick:emqx:new2')).toBe('b|lb1/1|1|o');
  });

  it('a key of another type concerns that key alone', async () => {
    await using server = await RedisServer.start();
    await using worker = await Worker.there({ url: server.url, prefix: 'limpet' });
    await server.admin.lpush('limpet:stick:emqx:list', 'x');
    for (let i = 0; i < 5; i++) {
      expect((await offer(worker, 'list', 'a')).degraded).toBe(true);
      await worker.table.confirm(pinOf('list', 'a'));
    }
    expect(await offer(worker, 'other', 'a')).toMatchObject({ kind: 'claimed', degraded: false });
    expect(worker.heard).toEqual([]);
    expect(await server.admin.type('limpet:stick:emqx:list')).toBe('list');
    await vi.waitFor(() => expect(worker.table.unwritten.waiting).toBe(0), 10_000);
  });

  it('a lost connection is told and mended', async () => {
    await using server = await RedisServer.start();
    await using worker = await Worker.there({ url: server.url });
    await worker.table.confirm(pinOf('k', 'a'));
    await server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(worker, /^back$/);
    expect(worker.heard).toHaveLength(2);
    expect(await look(worker, 'k')).toEqual({ kind: 'held', server: 'a', degraded: false });
  });

  it('P4: what was said to Redis before the close is answered', async () => {
    await using server = await RedisServer.start();
    const worker = await Worker.there({ url: server.url, prefix: 'limpet' });
    const said = Array.from({ length: 50 }, (_, at) => worker.shared.confirm(pinOf(`last${at}`, 'a')));
    let answered = 0;
    for (const one of said)
      one.then(
        () => (answered += 1),
        () => undefined,
      );
    await worker[Symbol.asyncDispose]();
    expect(answered).toBe(said.length);
    expect(await server.admin.get('limpet:stick:emqx:last49')).toBe('a|lb1/1|1|o');
  });

  it('closes while Redis is away, frozen, or there', async () => {
    await using server = await RedisServer.start();
    const away = new Worker({ url: 'unix:///nonexistent/redis.sock' });
    await away.connection.circuit.firstContact;
    await away[Symbol.asyncDispose]();
    const worker = await Worker.there({ url: server.url });
    server.freeze();
    const claim = offer(worker, 'k', 'a');
    await worker[Symbol.asyncDispose]();
    expect(await claim).toMatchObject({ degraded: true });
    await worker.connection.close();
    expect([...away.heard, ...worker.heard]).toEqual([expect.stringMatching(/^away/)]);
    server.thaw();
  });
});
