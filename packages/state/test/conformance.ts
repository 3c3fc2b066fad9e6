/**
 * What every stick table promises (`src/contract.ts`), as tests. Each adapter's test file calls this with its own way to
 * open a table.
 */
import { describe, expect, it, vi } from 'vitest';
import type { Claimant, ClaimRequest, StickTable, StickTimes } from '../src/contract.ts';

/** Opens an empty table with these times. */
export type OpenTable = (times: StickTimes) => Promise<OpenedTable>;
export interface OpenedTable extends AsyncDisposable {
  readonly table: StickTable;
}

/** Long enough that nothing ends by itself within a test. */
const long: StickTimes = { pendingMs: 40_000, expireMs: 20_000 };
const short: StickTimes = { pendingMs: 150, expireMs: 300 };

const ann: Claimant = { owner: 'lb1/1', epoch: 7 };
const ben: Claimant = { owner: 'lb1/2', epoch: 3 };
const servers = ['a', 'b', 'c'];

function want(key: string, candidate: string | null, by: Claimant, usable: readonly string[] = servers): ClaimRequest {
  return { key, usable, candidate, by };
}

/** `isDegraded`: what its claims say of themselves. */
export function stickTableConformance(name: string, open: OpenTable, isDegraded = false): void {
  const degraded = isDegraded;
  describe(`${name}: claim`, () => {
    it('assigns the candidate where nobody holds the key; the entry is pending', async () => {
      await using opened = await open(long);
      const { table } = opened;
      expect(await table.claim(want('k', 'a', ann))).toEqual({
        kind: 'claimed',
        server: 'a',
        displaced: null,
        degraded,
      });
      const entry = await table.get('k');
      expect(entry).toMatchObject({ key: 'k', server: 'a', state: 'pending', ...ann });
      expect(entry?.ttlMs).toBeGreaterThan(long.pendingMs - 10_000);
      expect(entry?.ttlMs).toBeLessThanOrEqual(long.pendingMs);
    });

    it('P2: gives two sessions that claim at once one answer', async () => {
      await using opened = await open(long);
      const { table } = opened;
      for (let i = 0; i < 50; i++) {
        const answers = await Promise.all([table.claim(want(`k${i}`, 'a', ann)), table.claim(want(`k${i}`, 'b', ben))]);
        expect(answers.map(answer => answer.kind).sort()).toEqual(['claimed', 'held']);
        const named = answers.flatMap(answer => ('server' in answer ? [answer.server] : []));
        expect(named[0]).toBe(named[1]);
      }
    });

    it('only looks without a candidate', async () => {
      await using opened = await open(long);
      const { table } = opened;
      expect(await table.claim(want('k', null, ann))).toEqual({ kind: 'free', displaced: null, degraded });
      expect(await table.get('k')).toBeNull();
    });

    it('finds a usable holder in every state, and changes nothing', async () => {
      await using opened = await open(long);
      const { table } = opened;
      const pin = { key: 'k', server: 'a', by: ann };
      await table.claim(want('k', 'a', ann));
      for (const state of ['pending', 'pinned', 'cooling']) {
        if (state === 'pinned') await table.confirm(pin);
        if (state === 'cooling') await table.release(pin);
        for (const candidate of ['b', null]) {
          expect(await table.claim(want('k', candidate, ben))).toEqual({ kind: 'held', server: 'a', degraded });
        }
        expect(await table.get('k')).toMatchObject({ server: 'a', state, ...ann });
      }
    });

    it('lets an entry that it found live as long as a pending one', async () => {
      await using opened = await open(long);
      const { table } = opened;
      const pin = { key: 'k', server: 'a', by: ann };
      await table.confirm(pin);
      await table.release(pin);
      expect((await table.get('k'))?.ttlMs).toBeLessThanOrEqual(long.expireMs);
      await table.claim(want('k', 'b', ben));
      expect((await table.get('k'))?.ttlMs).toBeGreaterThan(long.pendingMs - 10_000);
    });

    it('takes the key from a server that is not usable, and names it', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.confirm({ key: 'k', server: 'a', by: ann });
      expect(await table.claim(want('k', null, ben, ['b', 'c']))).toEqual({ kind: 'free', displaced: 'a', degraded });
      expect(await table.get('k')).toMatchObject({ server: 'a', state: 'pinned', ...ann });
      const answer = await table.claim(want('k', 'b', ben, ['b', 'c']));
      expect(answer).toEqual({ kind: 'claimed', server: 'b', displaced: 'a', degraded });
      expect(await table.get('k')).toMatchObject({ server: 'b', state: 'pending', ...ben });
    });

    it('names no server that only a pending claim held: there is nothing to give back', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.claim(want('k', 'a', ann));
      const answer = await table.claim(want('k', 'b', ben, ['b', 'c']));
      expect(answer).toEqual({ kind: 'claimed', server: 'b', displaced: null, degraded });
      await table.abandon('k', ben, null);
      expect(await table.get('k')).toBeNull();
    });

    it('keeps keys apart, whatever is in them', async () => {
      await using opened = await open(long);
      const { table } = opened;
      const keys = ['a b', 'a|b', 'ä', '設備-1', '{tag}', '%s', 'sha256:00', "it's", '\\', 'a:b:*'];
      for (const key of keys) await table.claim(want(key, 'a', ann));
      for (const key of keys) {
        expect(await table.get(key)).toMatchObject({ key, server: 'a', state: 'pending' });
        await table.abandon(key, ann, null);
        expect(await table.get(key)).toBeNull();
      }
    });
  });

  describe(`${name}: confirm, abandon, release`, () => {
    it('pins whatever stood there before', async () => {
      await using opened = await open(long);
      const { table } = opened;
      const pinned = { state: 'pinned', ttlMs: null };
      await table.confirm({ key: 'k', server: 'a', by: ann });
      expect(await table.get('k')).toMatchObject({ server: 'a', ...pinned, ...ann });
      await table.confirm({ key: 'k', server: 'b', by: ben });
      expect(await table.get('k')).toMatchObject({ server: 'b', ...pinned, ...ben });
      await table.claim(want('k', 'c', ann, ['c']));
      await table.confirm({ key: 'k', server: 'c', by: ann });
      expect(await table.get('k')).toMatchObject({ server: 'c', ...pinned, ...ann });
    });

    it('abandon removes its own pending claim', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.claim(want('k', 'a', ann));
      await table.abandon('k', ann, null);
      expect(await table.get('k')).toBeNull();
      await table.abandon('k', ann, null);
    });

    it('abandon gives the key back to the displaced server', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.confirm({ key: 'k', server: 'a', by: ann });
      await table.claim(want('k', 'b', ben, ['b']));
      await table.abandon('k', ben, 'a');
      const entry = await table.get('k');
      expect(entry).toMatchObject({ server: 'a', state: 'cooling' });
      expect(entry?.ttlMs).toBeGreaterThan(long.expireMs - 10_000);
      expect(await table.claim(want('k', 'b', ben))).toMatchObject({ kind: 'held', server: 'a' });
    });

    it('P2: abandon never touches what others wrote, nor a confirmed entry', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.claim(want('k', 'a', ann));
      await table.abandon('k', ben, null);
      await table.abandon('k', { ...ann, epoch: ann.epoch + 1 }, 'c');
      expect(await table.get('k')).toMatchObject({ server: 'a', state: 'pending', ...ann });
      await table.confirm({ key: 'k', server: 'a', by: ann });
      await table.abandon('k', ann, null);
      expect(await table.get('k')).toMatchObject({ server: 'a', state: 'pinned', ...ann });
      await table.release({ key: 'k', server: 'a', by: ann });
      await table.abandon('k', ann, null);
      expect(await table.get('k')).toMatchObject({ server: 'a', state: 'cooling', ...ann });
    });

    it('release starts the expire clock, once', async () => {
      await using opened = await open(long);
      const { table } = opened;
      const pin = { key: 'k', server: 'a', by: ann };
      await table.confirm(pin);
      await table.release(pin);
      const first = (await table.get('k'))?.ttlMs ?? 0;
      expect(first).toBeGreaterThan(long.expireMs - 10_000);
      expect(first).toBeLessThanOrEqual(long.expireMs);
      await vi.waitFor(async () => expect((await table.get('k'))?.ttlMs).toBeLessThan(first - 30));
      await table.release(pin);
      expect((await table.get('k'))?.ttlMs).toBeLessThan(first - 30);
    });

    it('P2: a late release never touches the successor', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.confirm({ key: 'k', server: 'a', by: ann });
      await table.confirm({ key: 'k', server: 'b', by: ben });
      await table.release({ key: 'k', server: 'a', by: ann });
      await table.release({ key: 'k', server: 'b', by: { ...ben, epoch: ben.epoch - 1 } });
      expect(await table.get('k')).toMatchObject({ server: 'b', state: 'pinned', ...ben });
      await table.release({ key: 'none', server: 'a', by: ann });
      expect(await table.get('none')).toBeNull();
    });
  });

  describe(`${name}: forget`, () => {
    it('removes the entry of that session in every state', async () => {
      await using opened = await open(long);
      const { table } = opened;
      const pin = { key: 'k', server: 'a', by: ann };
      for (const state of ['pending', 'pinned', 'cooling']) {
        if (state === 'pending') await table.claim(want('k', 'a', ann));
        else await table.confirm(pin);
        if (state === 'cooling') await table.release(pin);
        expect(await table.get('k')).toMatchObject({ state });
        await table.forget(pin);
        expect(await table.get('k')).toBeNull();
        expect(await table.claim(want('k', null, ben))).toEqual({ kind: 'free', displaced: null, degraded });
      }
      await table.forget(pin);
      expect(await table.get('k')).toBeNull();
    });

    it('P2: never touches the successor', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.confirm({ key: 'k', server: 'b', by: ben });
      await table.forget({ key: 'k', server: 'a', by: ann });
      await table.forget({ key: 'k', server: 'b', by: { ...ben, epoch: ben.epoch - 1 } });
      expect(await table.get('k')).toMatchObject({ server: 'b', state: 'pinned', ...ben });
    });
  });

  describe(`${name}: renew`, () => {
    it('writes an entry again that has vanished', async () => {
      await using opened = await open(long);
      const { table } = opened;
      expect(await table.renew([{ key: 'k', server: 'a', by: ann }])).toEqual([]);
      expect(await table.get('k')).toMatchObject({ server: 'a', state: 'pinned', ...ann });
    });

    it('pins again what cools or is pending for the same server', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.claim(want('pending', 'a', ben));
      await table.confirm({ key: 'cooling', server: 'a', by: ben });
      await table.release({ key: 'cooling', server: 'a', by: ben });
      const pins = ['pending', 'cooling'].map(key => ({ key, server: 'a', by: ann }));
      expect(await table.renew(pins)).toEqual([]);
      for (const { key } of pins) expect(await table.get(key)).toMatchObject({ server: 'a', state: 'pinned', ...ann });
    });

    it('answers the keys that another server holds, and leaves them alone', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.confirm({ key: 'pinned', server: 'b', by: ben });
      await table.confirm({ key: 'cooling', server: 'b', by: ben });
      await table.release({ key: 'cooling', server: 'b', by: ben });
      await table.claim(want('pending', 'b', ben));
      const pins = ['pinned', 'mine', 'cooling', 'pending'].map(key => ({ key, server: 'a', by: ann }));
      expect(await table.renew(pins)).toEqual(['pinned', 'cooling']);
      for (const state of ['pinned', 'cooling', 'pending']) {
        expect(await table.get(state)).toMatchObject({ server: 'b', state, ...ben });
      }
    });

    it('leaves another live session of the same server its entry', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.confirm({ key: 'k', server: 'a', by: ben });
      expect(await table.renew([{ key: 'k', server: 'a', by: ann }])).toEqual([]);
      expect(await table.get('k')).toMatchObject({ state: 'pinned', ...ben });
    });

    it('P3: a take-over whose confirmations arrive in the wrong order keeps its entry', async () => {
      await using opened = await open(long);
      const { table } = opened;
      await table.claim(want('k', 'a', ann));
      await table.claim(want('k', 'b', ben));
      await table.confirm({ key: 'k', server: 'a', by: ben });
      await table.confirm({ key: 'k', server: 'a', by: ann });
      await table.release({ key: 'k', server: 'a', by: ann });
      expect(await table.renew([{ key: 'k', server: 'a', by: ben }])).toEqual([]);
      expect(await table.get('k')).toMatchObject({ server: 'a', state: 'pinned', ...ben });
    });

    it('renews a thousand in one call', async () => {
      await using opened = await open(long);
      const { table } = opened;
      const pins = Array.from({ length: 1000 }, (_, i) => ({ key: `device-${i}`, server: 'a', by: ann }));
      await table.confirm({ key: 'device-777', server: 'b', by: ben });
      expect(await table.renew(pins)).toEqual(['device-777']);
      expect(await table.get('device-999')).toMatchObject({ state: 'pinned', ...ann });
      expect(await table.renew([])).toEqual([]);
    });
  });

  describe(`${name}: time`, () => {
    it('P3: an entry never expires under a live session, and does after it', async () => {
      await using opened = await open(short);
      const { table } = opened;
      const pin = { key: 'live', server: 'a', by: ann };
      const gone = { key: 'gone', server: 'a', by: ben };
      await table.confirm(pin);
      for (let lives = 0; lives < 3; lives++) {
        await table.confirm(gone);
        await table.release(gone);
        await vi.waitFor(async () => {
          await table.renew([pin]);
          expect(await table.get('live')).toMatchObject({ state: 'pinned', ...ann });
          expect(await table.get('gone')).toBeNull();
        }, 5000);
      }
      await table.release(pin);
      expect(await table.get('live')).toMatchObject({ state: 'cooling' });
      await vi.waitFor(async () => expect(await table.get('live')).toBeNull(), 5000);
    });

    it('a pending claim that nobody confirms goes', async () => {
      await using opened = await open(short);
      const { table } = opened;
      await table.claim(want('k', 'a', ann));
      await vi.waitFor(async () => expect(await table.get('k')).toBeNull(), 5000);
      expect(await table.claim(want('k', 'b', ben))).toMatchObject({ kind: 'claimed', server: 'b', displaced: null });
    });

    it('may be closed twice', async () => {
      await using opened = await open(short);
      await opened.table.close();
      await opened.table.close();
    });
  });
}
