import { describe, expect, it } from 'vitest';
import { type Assign, MemoryTable } from '../../src/memory.ts';
import { remoteTable, serveTable, type TableChannel, type TableReply } from '../../src/remote.ts';
import { stickTableConformance } from '../conformance.ts';

/** As between processes: text, in order, answered in a later turn. */
function channelTo(table: MemoryTable, assign?: Assign): TableChannel {
  const travel = <T>(message: T): T => JSON.parse(JSON.stringify(message)) as T;
  return {
    call: message => {
      const reply = serveTable(table, travel(message), assign);
      return new Promise(resolve => setImmediate(() => resolve(travel(reply as TableReply))));
    },
    cast: message => {
      expect(serveTable(table, travel(message))).toBeNull();
    },
  };
}

const times = { pendingMs: 100, expireMs: 1000 };
const ann = { owner: 'lb1/1', epoch: 1 };

stickTableConformance('remote', async times => {
  const table = remoteTable(channelTo(new MemoryTable({ size: 10_000, times })));
  return { table, [Symbol.asyncDispose]: () => table.close() };
});

describe('remote', () => {
  it('is assigned a server within the claim, and hears when the table is full', async () => {
    const requests: unknown[] = [];
    const assign: Assign = (displaced, request) => {
      requests.push([displaced, request]);
      return 'b';
    };
    const table = remoteTable(channelTo(new MemoryTable({ size: 1, times }), assign));
    const request = { key: 'k', usable: ['a', 'b'], candidate: null, by: ann };
    expect(await table.claim(request)).toEqual({ kind: 'claimed', server: 'b', displaced: null, degraded: false });
    expect(requests).toEqual([[null, request]]);
    expect(await table.claim({ ...request, key: 'other' })).toEqual({ kind: 'full', degraded: false });
  });

  it('serves without stickiness when the channel fails', async () => {
    const failing: TableChannel = { call: () => Promise.reject(new Error('gone')), cast: () => undefined };
    const table = remoteTable(failing);
    const answer = await table.claim({ key: 'k', usable: ['a'], candidate: 'a', by: ann });
    expect(answer).toEqual({ kind: 'full', degraded: true });
    expect(await table.renew([{ key: 'k', server: 'a', by: ann }])).toEqual([]);
    expect(await table.get('k')).toBeNull();
  });

  it('finds a reply that does not fit its question', async () => {
    const table = remoteTable({ call: async () => ['renewed', []], cast: () => undefined });
    const answer = table.claim({ key: 'k', usable: ['a'], candidate: 'a', by: ann });
    await expect(answer).rejects.toMatchObject({ code: 'TABLE_REPLY' });
  });
});
