import { connectRedis, localTable, MemoryTable, redisTable, type StickTable } from '@limpet/state';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EntryPage } from '../../../../src/admin/control.ts';
import { type ClosableTableAdmin, createTableAdmin } from '../../../../src/admin/table/table_admin.ts';
import { until } from '../../../kit/condition.ts';
import { type RedisServer, startRedis } from '../../../kit/redis.ts';
import { THREAD_ARGUMENTS } from './thread_arguments.ts';

const times = { pendingMs: 40_000, expireMs: 60_000 };
const servers = ['emqx1', 'emqx2'];
const ann = { owner: 'lb1/1', epoch: 7 };
const pin = (key: string, server = 'emqx1') => ({ key, server, by: ann });

interface Opened extends AsyncDisposable {
  readonly admin: ClosableTableAdmin;
  /** As sessions use it. */
  readonly table: StickTable;
  readonly memory: MemoryTable;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ unixSocket: true });
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

let prefixes = 0;

async function open(store: 'memory' | 'redis', size = 100_000): Promise<Opened> {
  const memory = new MemoryTable({ size, times });
  const config =
    store === 'memory'
      ? null
      : { target: { kind: 'server' as const, url: redis.url }, prefix: `p${++prefixes}`, timeoutMs: 2000 };
  const connection = config && connectRedis({ ...config, name: 'limpet test' });
  if (connection) expect(await connection.circuit.firstContact).toBe(true);
  const backends = () => [{ name: 'emqx', servers, times, memory }];
  const admin = createTableAdmin({ redis: config, backends, execArgv: THREAD_ARGUMENTS });
  return {
    admin,
    memory,
    table: connection ? redisTable(connection, 'emqx', times) : localTable(memory),
    [Symbol.asyncDispose]: async () => {
      await admin.close();
      await connection?.close();
    },
  };
}

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

async function* inChunks(text: string, bytes = 1000): AsyncGenerator<Buffer> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

async function fill(table: StickTable, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, i) => `device-${String(i).padStart(6, '0')}`);
  await table.renew(keys.map((key, i) => pin(key, i % 2 === 0 ? 'emqx1' : 'emqx2')));
  return keys;
}

describe.each(['memory', 'redis'] as const)('%s', store => {
  it('streams a whole table in each format', async () => {
    await using opened = await open(store);
    const { admin, table } = opened;
    const keys = await fill(table, 5000);
    const haproxy = (await textOf(admin.walk('emqx', 'haproxy', {}))).trimEnd().split('\n');
    expect(haproxy.map(line => /key=(\S+) use=1 exp=60000 server_id=[12] server_key=/.exec(line)?.[1]).sort()).toEqual(
      keys,
    );
    const json = (await textOf(admin.walk('emqx', 'json', {})))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(json.map(({ key }) => key).sort()).toEqual(keys);
    expect(json[0]).toMatchObject({ state: 'pinned', ttl_ms: null, owner: 'lb1/1', epoch: 7 });
    const csv = (await textOf(admin.walk('emqx', 'csv', { server: 'emqx2' }))).trimEnd().split('\r\n');
    expect(csv.shift()).toBe('key,server,state,ttl_ms,owner,epoch');
    expect(csv).toHaveLength(2500);
    expect(await textOf(admin.walk('emqx', 'haproxy', { keyContains: '4999' }))).toMatch(
      /^0x\w{8}: key=device-004999 /,
    );
    expect(await textOf(admin.walk('emqx', 'haproxy', { state: 'cooling' }))).toBe('');
  });

  it('ends early when its reader has enough, and serves the next one', async () => {
    await using opened = await open(store);
    const { admin, table } = opened;
    await fill(table, 20_000);
    for (let i = 0; i < 20; i++) {
      for await (const chunk of admin.walk('emqx', 'json', {})) {
        expect(chunk.length).toBeLessThanOrEqual(65_536);
        break;
      }
    }
    expect((await textOf(admin.walk('emqx', 'json', {}))).split('\n')).toHaveLength(20_001);
  });

  it('imports what was exported', async () => {
    for (const format of ['json', 'csv'] as const) {
      await using from = await open(store);
      await using to = await open(store);
      await fill(from.table, 3000);
      await from.table.confirm(pin('=cmd|"x",', 'emqx2'));
      await from.table.release(pin('=cmd|"x",', 'emqx2'));
      const text = await textOf(from.admin.walk('emqx', format, {}));
      expect(await to.admin.import('emqx', format, inChunks(text))).toEqual({
        read: 3001,
        written: 3001,
        kept: 0,
        errors: [],
      });
      expect(await to.table.get('device-002999')).toMatchObject({ server: 'emqx2', state: 'cooling' });
      expect(await to.table.get('=cmd|"x",')).toMatchObject({ server: 'emqx2', state: 'cooling' });
      expect(await to.admin.used('emqx')).toBe(3001);
    }
  });

  it('P3: tells bad lines by their number, keeps the entries of live sessions, and goes on', async () => {
    await using opened = await open(store);
    const { admin, table } = opened;
    await table.confirm(pin('live', 'emqx1'));
    const lines = [
      '{"key":"live","server":"emqx2"}',
      'no',
      '',
      '{"key":"a","server":"gone"}',
      '{"key":"b","server":"emqx2"}',
    ];
    const report = await admin.import('emqx', 'json', inChunks(lines.join('\n')));
    expect(report).toEqual({
      read: 4,
      written: 1,
      kept: 1,
      errors: ['line 2: not JSON', 'line 4: the backend has no server "gone"'],
    });
    expect(await table.get('live')).toMatchObject({ server: 'emqx1', state: 'pinned' });
    expect(await table.get('b')).toMatchObject({ server: 'emqx2', state: 'cooling' });
  });

  it('ends an import whose source fails', async () => {
    await using opened = await open(store);
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('{"key":"b","server":"emqx2"}\n');
      throw new Error('the client has gone');
    }
    await expect(opened.admin.import('emqx', 'json', broken())).rejects.toThrow('the client has gone');
  });

  it('pages through all, each entry once, in pages of any size', async () => {
    await using opened = await open(store);
    const { admin, table } = opened;
    const keys = await fill(table, 2000);
    for (const limit of [7, 300, 5000]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: EntryPage = await admin.page('emqx', { server: 'emqx1' }, cursor, limit);
        expect(page.entries.length).toBeLessThanOrEqual(limit);
        seen.push(...page.entries.map(({ key }) => key));
        cursor = page.next;
      } while (cursor !== null);
      expect(seen.sort()).toEqual(keys.filter((_, i) => i % 2 === 0));
    }
  });

  it('sets, finds and clears one key, as a client has it or as the table shows it', async () => {
    await using opened = await open(store);
    const { admin, table } = opened;
    const long = 'x'.repeat(200);
    await admin.set('emqx', long, 'emqx2');
    const entry = await admin.get('emqx', long);
    expect(entry).toMatchObject({ server: 'emqx2', state: 'cooling' });
    expect(await admin.get('emqx', entry?.key ?? '')).toEqual({ ...entry, ttlMs: expect.any(Number) });
    expect(await table.claim({ key: entry?.key ?? '', usable: servers, candidate: 'emqx1', by: ann })).toMatchObject({
      kind: 'held',
      server: 'emqx2',
    });
    expect(await admin.clearKey('emqx', long)).toBe(true);
    expect(await admin.clearKey('emqx', long)).toBe(false);
    expect(await admin.get('emqx', long)).toBeNull();
    await expect(admin.set('emqx', 'k', 'gone')).rejects.toMatchObject({ code: 'UNKNOWN_SERVER' });
  });

  it('clears what matches, here and in the shared table', async () => {
    await using opened = await open(store);
    const { admin, table, memory } = opened;
    await fill(table, 2000);
    for (let i = 0; i < 10; i++) memory.confirm(pin(`device-${String(i * 2).padStart(6, '0')}`));
    expect(await admin.clear('emqx', { server: 'emqx1' })).toBe(1000);
    expect(memory.peek('device-000000')).toBeNull();
    expect(await table.get('device-000000')).toBeNull();
    expect(await table.get('device-000001')).not.toBeNull();
    expect(await admin.used('emqx')).toBe(1000);
  });

  it('knows no other table', async () => {
    await using opened = await open(store);
    expect(opened.admin.names).toEqual(['emqx']);
    await expect(opened.admin.get('other', 'k')).rejects.toMatchObject({ code: 'NO_TABLE' });
    expect(() => opened.admin.walk('other', 'json', {})).toThrow('there is no stick table "other"');
  });
});

describe('threads', () => {
  it.each(['memory', 'redis'] as const)('%s: a small table, and one key, need none', async store => {
    await using opened = await open(store);
    const { admin, table } = opened;
    await fill(table, 1900);
    expect((await textOf(admin.walk('emqx', 'haproxy', {}))).split('\n')).toHaveLength(1901);
    await admin.set('emqx', 'k', 'emqx1');
    expect(await admin.get('emqx', 'k')).toMatchObject({ server: 'emqx1' });
    expect(await admin.clearKey('emqx', 'k')).toBe(true);
    expect((await admin.page('emqx', {}, null, 10)).entries).toHaveLength(10);
    expect(admin.threads).toBe(0);
  });

  it.each(['memory', 'redis'] as const)('%s: what begins here and goes on in one is whole', async store => {
    await using opened = await open(store);
    const { admin, table } = opened;
    const keys = await fill(table, 50_000);
    // A thread that runs already takes over at once.
    await admin.import('emqx', 'json', inChunks(''));
    const seen: string[] = [];
    let longest = 0;
    for await (const chunk of admin.walk('emqx', 'json', {})) {
      const lines = chunk.toString().trimEnd().split('\n');
      seen.push(...lines.map(line => (JSON.parse(line) as { readonly key: string }).key));
      longest = Math.max(longest, chunk.length);
    }
    expect(longest, 'chunks of a thread').toBeGreaterThan(40_000);
    expect(seen.sort()).toEqual(keys);
  });

  it('there are none until a walk lasts, and what they do ends with them', async () => {
    await using opened = await open('memory');
    const { admin, table } = opened;
    await fill(table, 50_000);
    await admin.page('emqx', {}, null, 10);
    await admin.set('emqx', 'k', 'emqx1');
    expect(admin.threads).toBe(0);
    const walk = admin.walk('emqx', 'json', {})[Symbol.asyncIterator]();
    do expect((await walk.next()).done).toBe(false);
    while (admin.threads === 0);
    await admin.close();
    const drained = async (): Promise<void> => {
      while (!(await walk.next()).done);
    };
    await expect(drained()).rejects.toMatchObject({ code: 'TABLE_THREAD' });
    await expect(textOf(admin.walk('emqx', 'json', {}))).rejects.toMatchObject({ code: 'TABLE_CLOSED' });
  });

  it('a slow reader holds nobody else up', async () => {
    await using opened = await open('memory');
    const { admin, table } = opened;
    await fill(table, 50_000);
    const slow = Array.from({ length: 6 }, () => admin.walk('emqx', 'json', {})[Symbol.asyncIterator]());
    for (const walk of slow) await walk.next();
    expect((await textOf(admin.walk('emqx', 'csv', {}))).split('\n')).toHaveLength(50_002);
    for (const walk of slow) await walk.return?.();
    await until(() => admin.threads <= 2, { what: 'two threads at most' });
  });

  it('a Redis that is away is an error of that command, without the password', async () => {
    const memory = new MemoryTable({ size: 10, times });
    const backends = () => [{ name: 'emqx', servers, times, memory }];
    const target = { kind: 'server', url: 'redis://:secret@127.0.0.1:1' } as const;
    const config = { target, prefix: 'p', timeoutMs: 100 };
    const admin = createTableAdmin({ redis: config, backends, execArgv: THREAD_ARGUMENTS });
    const commands = [
      () => admin.get('emqx', 'k'),
      () => admin.used('emqx'),
      () => textOf(admin.walk('emqx', 'json', {})),
    ];
    for (const command of commands) {
      await expect(command()).rejects.toMatchObject({
        code: 'STATE_REDIS_AWAY',
        message: expect.not.stringContaining('secret'),
      });
    }
    await admin.close();
  });
});
