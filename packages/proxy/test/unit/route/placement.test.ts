import { describe, expect, test } from 'vitest';
import { server } from './backend.ts';
import { nextOf, Office, TIMES } from './office.ts';

const THREE = [server('a'), server('b'), server('c')];

/** A client that came, was accepted by its first server, and left. */
async function visit(office: Office, number: number, key: string): Promise<string> {
  const session = office.session(number, key);
  const seen = await nextOf(session);
  session.accepted(null);
  session.stay.release();
  return seen;
}

describe('the memory table', () => {
  test('P2: a returning client goes home; P3: its entry cools only when it has left', async () => {
    const office = new Office({ servers: THREE });
    const session = office.session(1, 'device');
    expect(await nextOf(session)).toBe('a new');
    expect(office.table.peek('device')).toMatchObject({ server: 'a', state: 'pending', ttlMs: TIMES.pendingMs });
    session.accepted(null);
    office.nowMs += 10 * TIMES.expireMs;
    expect(office.table.peek('device')).toMatchObject({ server: 'a', state: 'pinned', ttlMs: null });
    session.stay.release();
    expect(office.table.peek('device')).toMatchObject({ server: 'a', state: 'cooling', ttlMs: TIMES.expireMs });
    expect(await visit(office, 2, 'other')).toBe('b new');
    expect(await visit(office, 3, 'device')).toBe('a sticky');
    office.nowMs += TIMES.expireMs;
    expect(await visit(office, 4, 'device')).toBe('c new');
  });

  test('P5: every attempt is another server, and when all have failed nothing is left behind', async () => {
    const office = new Office({ servers: THREE });
    const session = office.session(1, 'device');
    expect(await nextOf(session)).toBe('a new');
    expect(await nextOf(session)).toBe('b new');
    expect(office.counts()).toEqual([0, 1, 0]);
    expect(await nextOf(session)).toBe('c new');
    expect(await nextOf(session)).toBe('nobody: down');
    session.abandoned();
    expect(office.table.peek('device')).toBeNull();
    expect(office.counts()).toEqual([0, 0, 0]);
  });

  test('P3: a client that nobody saw accepted is counted until it leaves, and leaves no entry meanwhile', async () => {
    const office = new Office({ servers: THREE });
    const stranger = office.session(1, 'device');
    expect(await nextOf(stranger)).toBe('a new');
    stranger.unconfirmed();
    expect(office.table.peek('device')).toBeNull();
    expect(office.counts()).toEqual([1, 0, 0]);
    stranger.stay.release();
    expect(office.table.peek('device')).toBeNull();
    expect(office.counts()).toEqual([0, 0, 0]);
  });

  test('P2: a displaced server gets its key back when the session is refused', async () => {
    const office = new Office({ servers: THREE });
    await visit(office, 1, 'device');
    const session = office.session(2, 'device');
    expect([await nextOf(session), await nextOf(session), await nextOf(session)]).toEqual([
      'a sticky',
      'b moved',
      'c moved',
    ]);
    session.abandoned();
    expect(office.table.peek('device')).toMatchObject({ server: 'a', state: 'cooling' });
    expect(await visit(office, 3, 'device')).toBe('a sticky');
  });

  test('P2: who had to go elsewhere stays where it went', async () => {
    const office = new Office({ servers: THREE });
    await visit(office, 1, 'device');
    office.set('a', { up: false });
    expect(await visit(office, 2, 'device')).toBe('b moved');
    office.set('a', { up: true });
    expect(await visit(office, 3, 'device')).toBe('b sticky');
  });

  test('a refusal by the server that holds the key leaves the entry as it was', async () => {
    const office = new Office({ servers: THREE });
    const first = office.session(1, 'device');
    await first.next(true);
    first.accepted(null);
    const stranger = office.session(2, 'device');
    expect(await nextOf(stranger)).toBe('a sticky');
    stranger.abandoned();
    expect(office.table.peek('device')).toMatchObject({ server: 'a', state: 'pinned', epoch: 1 });
    expect(office.counts()).toEqual([1, 0, 0]);
  });

  test('P2: a stranger whose attempts fail by its own doing takes nobody from its home, whoever comes meanwhile', async () => {
    const office = new Office({ servers: THREE });
    const owner = office.session(1, 'device');
    await owner.next(true);
    await owner.accepted(null);
    owner.stay.release();
    const stranger = office.session(2, 'device');
    expect(await nextOf(stranger)).toBe('a sticky');
    const other = await stranger.next(false);
    expect(other).toMatchObject({ kind: 'server', choice: { how: 'moved' } });
    expect(await visit(office, 3, 'device')).toBe('a sticky');
    stranger.abandoned();
    expect(office.table.peek('device')).toMatchObject({ server: 'a', epoch: 3 });
    expect(office.conns('b') + office.conns('c')).toBe(0);
  });

  test('P2: whoever is accepted elsewhere after a refusal at home stays there', async () => {
    const office = new Office({ servers: THREE });
    await visit(office, 1, 'device');
    const session = office.session(2, 'device');
    await session.next(true);
    const elsewhere = await session.next(false);
    if (elsewhere.kind !== 'server') throw new Error('there are two more servers');
    await session.accepted(null);
    expect(office.table.peek('device')).toMatchObject({ server: elsewhere.choice.server, state: 'pinned', epoch: 2 });
  });

  test('P5: a server that goes down while it is being chosen is passed over', async () => {
    const office = new Office({ servers: THREE });
    const session = office.session(1, 'device');
    const choosing = session.next(true);
    office.set('a', { up: false });
    expect(await choosing).toMatchObject({ kind: 'server', choice: { server: 'b' } });
    expect(office.counts()).toEqual([0, 1, 0]);
  });

  test('P2: a session that ends late does not touch the entry of its successor', async () => {
    const office = new Office({ servers: THREE });
    const old = office.session(1, 'device');
    await old.next(true);
    old.accepted(null);
    const young = office.session(2, 'device');
    await young.next(true);
    young.accepted(null);
    old.stay.release();
    expect(office.table.peek('device')).toMatchObject({ state: 'pinned', epoch: 2 });
    expect([...office.pins.batches(9)].flat()).toMatchObject([{ key: 'device', by: { epoch: 2 } }]);
  });

  test('P2: a session that nobody accepts gives the key back to the one that was accepted meanwhile', async () => {
    const office = new Office({ servers: THREE });
    await visit(office, 1, 'device');
    const unlucky = office.session(2, 'device');
    expect([await nextOf(unlucky), await nextOf(unlucky)]).toEqual(['a sticky', 'b moved']);
    const lucky = office.session(3, 'device');
    expect(await nextOf(lucky)).toBe('b sticky');
    lucky.accepted(null);
    expect(await nextOf(unlucky)).toBe('c moved');
    unlucky.abandoned();
    expect(office.table.peek('device')).toMatchObject({ server: 'b', state: 'cooling' });
    expect(office.table.renew([...office.pins.batches(9)].flat())).toEqual([]);
    expect(office.table.peek('device')).toMatchObject({ server: 'b', state: 'pinned', epoch: 3 });
  });

  test('the broker assigned the id: that is the key from now on', async () => {
    const office = new Office({ servers: THREE });
    const session = office.session(1, null);
    expect(await nextOf(session)).toBe('a none');
    await session.accepted('auto-7f');
    expect(office.table.peek('auto-7f')).toMatchObject({ server: 'a', state: 'pinned' });
    session.stay.release();
    await visit(office, 2, 'other');
    expect(await visit(office, 3, 'auto-7f')).toBe('a sticky');
  });

  test('a client that has a key keeps it, whatever id the broker says', async () => {
    const office = new Office({ servers: THREE });
    const session = office.session(1, 'device');
    await session.next(true);
    session.accepted('other-name');
    expect(office.table.peek('device')).toMatchObject({ server: 'a', state: 'pinned' });
    expect(office.table.peek('other-name')).toBeNull();
  });

  test('a full table serves without stickiness', async () => {
    const office = new Office({ servers: THREE, size: 1 });
    const first = office.session(1, 'first');
    await first.next(true);
    first.accepted(null);
    const second = office.session(2, 'second');
    expect(await nextOf(second)).toBe('b none');
    second.accepted(null);
    expect(office.table.peek('second')).toBeNull();
    second.stay.release();
    expect(office.counts()).toEqual([1, 0, 0]);
    expect(office.table.peek('first')).toMatchObject({ state: 'pinned' });
  });

  test('a home that is full is passed over, and the client moves', async () => {
    const office = new Office({ servers: [server('a', { maxconn: 1 }), server('b')] });
    await visit(office, 1, 'device');
    const guest = office.session(2, null);
    expect(await nextOf(guest)).toBe('b none');
    const other = office.session(3, null);
    expect(await nextOf(other)).toBe('a none');
    expect(await visit(office, 4, 'device')).toBe('b moved');
  });

  test('every server is full', async () => {
    const office = new Office({ servers: [server('a', { maxconn: 1 }), server('b', { maxconn: 1 })] });
    for (const number of [1, 2]) await office.session(number, null).next(true);
    expect(await nextOf(office.session(3, 'device'))).toBe('nobody: full');
    expect(office.counts()).toEqual([1, 1]);
  });

  test('stick: false: no table, only turns', async () => {
    const office = new Office({ servers: THREE, stick: false });
    const seen: string[] = [];
    for (const number of [1, 2, 3, 4]) {
      const session = office.session(number, 'device');
      seen.push(await nextOf(session));
      session.accepted(null);
    }
    expect(seen).toEqual(['a none', 'b none', 'c none', 'a none']);
    expect(office.counts()).toEqual([2, 1, 1]);
  });
});
