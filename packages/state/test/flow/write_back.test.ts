/** What was decided while Redis was away, written without overwriting newer claims. Several workers, two proxies. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClaimAnswer, Claimant } from '../../src/contract.ts';
import { MemoryTable } from '../../src/memory.ts';
import { Gate } from '../gate.ts';
import { type OpenOptions, times, Worker } from '../opened.ts';
import { RedisServer } from '../redis_server.ts';

let server: RedisServer;
/** The way of most workers; `side` is for one that loses and finds Redis apart from them. */
let gate: Gate;
let side: Gate;
beforeEach(async () => {
  server = await RedisServer.start();
  gate = await Gate.start(`${server.directory}/gate.sock`, server.socketPath);
  side = await Gate.start(`${server.directory}/side.sock`, server.socketPath);
});
afterEach(async () => {
  await gate[Symbol.asyncDispose]();
  await side[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const by = (owner: string, epoch: number): Claimant => ({ owner, epoch });
const behindGate = (options: Partial<OpenOptions> = {}, way: Gate = gate): Promise<Worker> =>
  Worker.there({ url: `unix://${way.path}`, prefix: 'limpet', ...options });
const stored = (key: string): Promise<string | null> => server.admin.get(`limpet:stick:emqx:${key}`);

/** A session from its claim to its confirmation. */
async function session(worker: Worker, key: string, to: string, who: Claimant): Promise<ClaimAnswer> {
  const answer = await worker.table.claim({ key, usable: [to], candidate: to, by: who });
  await worker.table.confirm({ key, server: to, by: who });
  return answer;
}

async function goAway(...workers: readonly Worker[]): Promise<void> {
  gate.shut();
  side.shut();
  for (const worker of workers) await vi.waitFor(() => expect(worker.heard.at(-1)).toMatch(/^away/), 5000);
}

async function comeBack(...workers: readonly Worker[]): Promise<void> {
  gate.reopen();
  for (const worker of workers) await vi.waitFor(() => expect(worker.heard.at(-1)).toBe('back'), 10_000);
}

describe('P2: write-back', () => {
  it('writes new, moved and ended sessions, with what is left of their time', async () => {
    await using worker = await behindGate();
    for (const key of ['moved', 'ended', 'untouched']) await session(worker, key, 'a', by('lb1/1', 1));
    await goAway(worker);
    await session(worker, 'new', 'b', by('lb1/1', 2));
    await session(worker, 'moved', 'b', by('lb1/1', 3));
    await worker.table.release({ key: 'ended', server: 'a', by: by('lb1/1', 1) });
    await worker.table.claim({ key: 'abandoned', usable: ['a'], candidate: 'a', by: by('lb1/1', 4) });
    await worker.table.abandon('abandoned', by('lb1/1', 4), null);
    expect(worker.table.unwritten.waiting).toBe(3);
    await comeBack(worker);
    expect(await stored('new')).toBe('b|lb1/1|2|o');
    expect(await stored('moved')).toBe('b|lb1/1|3|o');
    expect(await stored('ended')).toBe('a|lb1/1|1|c');
    expect(await server.admin.pttl('limpet:stick:emqx:ended')).toBeLessThan(times.expireMs);
    expect(await stored('untouched')).toBe('a|lb1/1|1|o');
    expect(await stored('abandoned')).toBeNull();
  });

  it("keeps what the other proxy claimed meanwhile, and lets go of one's own", async () => {
    await using mine = await behindGate();
    await using other = await Worker.there({ url: server.url, prefix: 'limpet' });
    await session(mine, 'k', 'a', by('lb1/1', 1));
    await goAway(mine);
    await session(mine, 'k', 'b', by('lb1/1', 2));
    await session(other, 'k', 'c', by('lb2/1', 9));
    await comeBack(mine);
    expect(await stored('k')).toBe('c|lb2/1|9|o');
    const renewed = await mine.table.renew([{ key: 'k', server: 'b', by: by('lb1/1', 2) }]);
    expect(renewed).toEqual(['k']);
    const answer = await mine.table.claim({ key: 'k', usable: ['b', 'c'], candidate: null, by: by('lb1/1', 3) });
    expect(answer).toEqual({ kind: 'held', server: 'c', degraded: false });
  });

  it('overwrites what the other proxy wrote before, if that is what was seen last', async () => {
    await using mine = await behindGate();
    await using other = await Worker.there({ url: server.url, prefix: 'limpet', memory: mine.memory });
    await session(other, 'k', 'a', by('lb2/1', 9));
    await goAway(mine);
    await session(mine, 'k', 'b', by('lb1/1', 1));
    await comeBack(mine);
    expect(await stored('k')).toBe('b|lb1/1|1|o');
  });

  it.each([
    ['who moved it first', [0, 1]],
    ['who moved it last', [1, 0]],
  ])('workers of one proxy write one answer, when the first to return is %s', async (_, order) => {
    const memory = new MemoryTable({ size: 100, times });
    await using one = await behindGate({ memory });
    await using two = await behindGate({ memory }, side);
    await session(one, 'k', 'a', by('lb2/1', 5));
    await goAway(one, two);
    await session(one, 'k', 'b', by('lb1/1', 1));
    const answer = await session(two, 'k', 'c', by('lb1/2', 1));
    expect(answer).toMatchObject({ kind: 'claimed', displaced: 'b', degraded: true });
    for (const i of order) {
      [gate, side][i]?.reopen();
      await vi.waitFor(() => expect([one, two][i]?.table.unwritten.waiting).toBe(0), 5000);
    }
    await comeBack(one, two);
    expect(await stored('k')).toBe('c|lb1/2|1|o');
  });

  it('a client that moved is found where it went, by a worker that returns before the one that knows', async () => {
    const memory = new MemoryTable({ size: 2000, times });
    await using one = await behindGate({ memory });
    await using two = await behindGate({ memory }, side);
    const keys = Array.from({ length: 1000 }, (_, i) => `device-${i}`);
    await Promise.all(keys.map(key => session(one, key, 'a', by('lb1/1', 1))));
    await goAway(one, two);
    await Promise.all(keys.map(key => session(one, key, 'b', by('lb1/1', 2))));
    const look = (key: string): Promise<ClaimAnswer> =>
      two.table.claim({ key, usable: ['a', 'b'], candidate: null, by: by('lb1/2', 1) });
    side.reopen();
    await vi.waitFor(() => expect(two.connection.circuitAt(0).state).not.toBe('open'), { timeout: 5000, interval: 1 });
    gate.reopen();
    const looked = new Set<string>();
    for (let i = 0; two.heard.at(-1) !== 'back' || one.heard.at(-1) !== 'back' || i < 100; i++) {
      looked.add(two.connection.circuitAt(0).state);
      const answer = await look(`device-${i % 1000}`);
      expect(answer).toMatchObject({ kind: 'held', server: 'b' });
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(looked).toEqual(new Set(['returning', 'closed']));
    expect(await look('device-999')).toEqual({ kind: 'held', server: 'b', degraded: false });
    expect(await stored('device-999')).toBe('b|lb1/1|2|o');
  });

  it('a Redis that came back empty gets the live sessions again when they are renewed on return', async () => {
    await using worker = await Worker.there({ url: server.url, prefix: 'limpet' });
    const pins = Array.from({ length: 500 }, (_, i) => ({ key: `d${i}`, server: 'a', by: by('lb1/1', i) }));
    await Promise.all(pins.map(pin => worker.table.confirm(pin)));
    worker.onBack = () => void worker.table.renew(pins);
    await server.kill();
    await server.start();
    await vi.waitFor(async () => expect(await server.admin.dbsize()).toBe(500), 10_000);
  });

  it('is bounded: the oldest decisions are lost and counted', async () => {
    await using worker = await behindGate({ journalSize: 10 });
    await goAway(worker);
    for (let i = 0; i < 15; i++) await session(worker, `k${i}`, 'a', by('lb1/1', i));
    expect(worker.table.unwritten).toEqual({ waiting: 10, dropped: 5 });
    await comeBack(worker);
    expect(await stored('k4')).toBeNull();
    expect(await stored('k5')).toBe('a|lb1/1|5|o');
  });

  it('a decision that missed its deadline while Redis was there is written by itself', async () => {
    await using worker = await behindGate({ timeoutMs: 100 });
    gate.delayMs = 250;
    await worker.table.confirm({ key: 'k', server: 'a', by: by('lb1/1', 1) });
    gate.delayMs = 0;
    expect(worker.connection.circuitAt(0).state).toBe('closed');
    expect(worker.table.unwritten.waiting).toBe(1);
    await server.admin.del('limpet:stick:emqx:k');
    await vi.waitFor(async () => expect(await stored('k')).toBe('a|lb1/1|1|o'), 5000);
    expect(worker.heard).toEqual([]);
  });
});
