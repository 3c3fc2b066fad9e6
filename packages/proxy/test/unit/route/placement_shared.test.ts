import { type ClaimAnswer, localTable, MemoryTable, type StickTable } from '@limpet/state';
import { describe, expect, test } from 'vitest';
import { server } from './backend.ts';
import { nextOf, Office, TIMES } from './office.ts';

const THREE = [server('a'), server('b'), server('c')];
const OTHER = { owner: 'lb2/1', epoch: 1 };

function scene(servers = THREE): { office: Office; redis: MemoryTable } {
  const redis = new MemoryTable({ size: 1000, times: TIMES, now: () => 0 });
  return { office: new Office({ servers, shared: localTable(redis) }), redis };
}

/** The shared table is away: claims get the answers given, and then no answer but `free`. */
function away(answers: ClaimAnswer[] = []): StickTable {
  const told = async (): Promise<void> => {};
  return {
    claim: async request =>
      answers.shift() ??
      (request.candidate === null
        ? { kind: 'free', displaced: null, degraded: true }
        : { kind: 'claimed', server: request.candidate, displaced: null, degraded: true }),
    confirm: told,
    abandon: told,
    release: told,
    forget: told,
    renew: async () => [],
    get: async () => null,
    close: told,
  };
}

describe('a table that is shared with other proxies', () => {
  test('P2: who is in the table is placed without a word from the primary', async () => {
    const { office, redis } = scene();
    redis.confirm({ key: 'device', server: 'b', by: OTHER });
    const session = office.session(1, 'device');
    expect(await nextOf(session)).toBe('b sticky');
    expect(office.asked).toBe(0);
    expect(office.counts()).toEqual([0, 1, 0]);
    session.accepted(null);
    session.stay.release();
    expect(office.counts()).toEqual([0, 0, 0]);
    expect(redis.peek('device')).toMatchObject({ server: 'b', state: 'cooling' });
  });

  test('a new client has its turn at the primary, and its claim in the table', async () => {
    const { office, redis } = scene();
    expect(await nextOf(office.session(1, 'device'))).toBe('a new');
    expect(redis.peek('device')).toMatchObject({ server: 'a', state: 'pending', owner: 'lb1/1' });
    expect(office.counts()).toEqual([1, 0, 0]);
  });

  test('P2: another proxy claims the key between our look and our claim: that is where the client goes', async () => {
    const redis = new MemoryTable({ size: 1000, times: TIMES, now: () => 0 });
    const honest = localTable(redis);
    const shared: StickTable = {
      ...honest,
      claim: async request => {
        const answer = await honest.claim(request);
        if (request.candidate === null) redis.confirm({ key: request.key, server: 'c', by: OTHER });
        return answer;
      },
    };
    const office = new Office({ servers: THREE, shared });
    const session = office.session(1, 'device');
    expect(await nextOf(session)).toBe('c sticky');
    expect(office.counts()).toEqual([0, 0, 1]);
    session.abandoned();
    expect(redis.peek('device')).toMatchObject({ server: 'c', state: 'pinned', owner: 'lb2/1' });
    expect(office.counts()).toEqual([0, 0, 0]);
  });

  test('P2: a displaced server gets its key back when the session is refused', async () => {
    const { office, redis } = scene();
    redis.confirm({ key: 'device', server: 'b', by: OTHER });
    redis.release({ key: 'device', server: 'b', by: OTHER });
    const session = office.session(1, 'device');
    expect(await nextOf(session)).toBe('b sticky');
    const [second, third] = [await nextOf(session), await nextOf(session)];
    expect([second, third].toSorted()).toEqual(['a moved', 'c moved']);
    expect(await nextOf(session)).toBe('nobody: down');
    session.abandoned();
    expect(redis.peek('device')).toMatchObject({ server: 'b', state: 'cooling' });
    expect(office.counts()).toEqual([0, 0, 0]);
  });

  test('a client that is refused everywhere leaves nothing in the table', async () => {
    const { office, redis } = scene();
    const session = office.session(1, 'stranger');
    expect([await nextOf(session), await nextOf(session)]).toEqual(['a new', 'b new']);
    session.abandoned();
    expect(redis.peek('stranger')).toBeNull();
  });

  test('a home that counts its connections is asked for at the primary, and left when it is full', async () => {
    const { office, redis } = scene([server('a', { maxconn: 1 }), server('b')]);
    for (const key of ['one', 'two']) redis.confirm({ key, server: 'a', by: OTHER });
    expect(await nextOf(office.session(1, 'one'))).toBe('a sticky');
    const second = office.session(2, 'two');
    expect(await nextOf(second)).toBe('b moved');
    expect(office.counts()).toEqual([1, 1]);
    expect(redis.peek('two')).toMatchObject({ server: 'b', state: 'pending' });
    second.abandoned();
    expect(redis.peek('two')).toMatchObject({ server: 'a', state: 'cooling' });
    expect(office.counts()).toEqual([1, 0]);
  });

  test('P2: the table has lost the key, and the primary remembers its home: one question, and the claim can be undone', async () => {
    const { office, redis } = scene();
    office.table.confirm({ key: 'device', server: 'c', by: OTHER });
    const session = office.session(1, 'device');
    expect(await nextOf(session)).toBe('c sticky');
    expect(office.asked).toBe(1);
    expect(redis.peek('device')).toMatchObject({ server: 'c', state: 'pending' });
    expect(office.counts()).toEqual([0, 0, 1]);
    session.abandoned();
    expect(redis.peek('device')).toBeNull();
    expect(office.table.peek('device')?.server).toBe('c');
    expect(office.counts()).toEqual([0, 0, 0]);
  });

  test('P2: a home that another proxy finds well is tried once before its client moves, and is no place for a new one', async () => {
    const { office, redis } = scene();
    redis.confirm({ key: 'device', server: 'b', by: OTHER });
    office.set('b', { up: false, contested: true });
    const session = office.session(1, 'device');
    expect(await nextOf(session)).toBe('b sticky');
    expect(redis.peek('device')).toMatchObject({ server: 'b', owner: 'lb2/1' });
    expect(await nextOf(session)).toBe('a moved');
    expect(redis.peek('device')).toMatchObject({ server: 'a', owner: 'lb1/1' });
    session.accepted(null);
    // Settled: the next one moves at once.
    redis.confirm({ key: 'other', server: 'b', by: OTHER });
    office.set('b', { up: false });
    expect(await nextOf(office.session(2, 'other'))).toBe('c moved');
    office.set('b', { up: false, contested: true });
    expect([await nextOf(office.session(3, 'new1')), await nextOf(office.session(4, 'new2'))]).toEqual([
      'a new',
      'c new',
    ]);
  });

  test('P2: that home has a limit: the primary lets its client try it all the same', async () => {
    const { office, redis } = scene([server('a'), server('b', { maxconn: 1 })]);
    redis.confirm({ key: 'device', server: 'b', by: OTHER });
    office.set('b', { up: false, contested: true });
    expect(await nextOf(office.session(1, 'device'))).toBe('b sticky');
    expect(office.counts()).toEqual([0, 1]);
  });

  test('a client without a key never asks the table', async () => {
    const office = new Office({ servers: THREE, shared: { ...away(), claim: () => expect.unreachable() } });
    expect(await nextOf(office.session(1, null))).toBe('a none');
  });
});

describe('P4: the shared table is away', () => {
  test('every worker of every proxy finds the same server without asking anybody', async () => {
    const one = new Office({ servers: THREE, shared: away() });
    const two = new Office({ servers: [...THREE].reverse(), shared: away() });
    for (const key of ['k1', 'k2', 'k3', 'k4', 'k5', 'k6']) {
      const seen = await nextOf(one.session(1, key));
      expect(seen).toMatch(/^[abc] new degraded$/);
      expect(await nextOf(two.session(1, key))).toBe(seen);
    }
    expect(one.asked + two.asked).toBe(0);
  });

  test('retries go on to distinct servers, and are counted', async () => {
    const office = new Office({ servers: THREE, shared: away() });
    const session = office.session(1, 'device');
    const seen = [await nextOf(session), await nextOf(session), await nextOf(session)].map(one => one[0]);
    expect(seen.toSorted()).toEqual(['a', 'b', 'c']);
    expect(office.counts().toSorted()).toEqual([0, 0, 1]);
    expect(await nextOf(session)).toBe('nobody: down');
    session.abandoned();
    expect(office.counts()).toEqual([0, 0, 0]);
  });

  test('recently seen clients go home by the local answer', async () => {
    const office = new Office({ servers: THREE, shared: away([{ kind: 'held', server: 'c', degraded: true }]) });
    expect(await nextOf(office.session(1, 'device'))).toBe('c sticky degraded');
  });

  test('nobody can write the claim down: the client is served all the same', async () => {
    const full: ClaimAnswer = { kind: 'full', degraded: true };
    const office = new Office({ servers: THREE, shared: away([full, full]) });
    expect(await nextOf(office.session(1, 'device'))).toMatch(/^[abc] none degraded$/);
  });

  test('it goes away between look and claim: the primary has placed the client already', async () => {
    const free: ClaimAnswer = { kind: 'free', displaced: null, degraded: false };
    const office = new Office({ servers: THREE, shared: away([free]) });
    expect(await nextOf(office.session(1, 'device'))).toBe('a new degraded');
    expect(office.counts()).toEqual([1, 0, 0]);
  });
});
