import { describe, expect, test } from 'vitest';
import { RingSeal } from '../../../src/tls/ring_seal.ts';
import {
  advanceRing,
  issuingKey,
  MAX_KEYS,
  makeTicketKey,
  noticeMs,
  readRing,
  type TicketKey,
  ticketLifetimeMs,
  writeRing,
} from '../../../src/tls/ticket_ring.ts';

const HOUR_MS = 3_600_000;
const ROTATE_MS = 12 * HOUR_MS;

describe('rotation', () => {
  test('an empty ring gets a key that is used at once', () => {
    expect(advanceRing([], 1000, ROTATE_MS)).toMatchObject([{ issueFromMs: 1000 }]);
  });

  test('over days, looked at every 20 s by clocks two seconds apart: no ticket is met before or after its key', () => {
    let ring: readonly TicketKey[] = [makeTicketKey(0)];
    /** Key → when the last ticket was made with it. */
    const issued = new Map<TicketKey, number>();
    const wrong: string[] = [];
    for (let nowMs = 0; nowMs < 6 * ROTATE_MS; nowMs += 20_000) {
      // What the other one has read 20 s ago.
      const stale = ring;
      for (const clock of [nowMs, nowMs + 2000]) ring = advanceRing(ring, clock, ROTATE_MS) ?? ring;
      const key = issuingKey(ring, nowMs + 2000);
      if (key === undefined || !stale.includes(key)) wrong.push(`${nowMs}: issues with a key that others do not know`);
      else issued.set(key, nowMs);
      for (const [known, atMs] of issued) {
        const isAlive = nowMs + 2000 < atMs + ticketLifetimeMs(ROTATE_MS);
        if (isAlive && !ring.includes(known)) wrong.push(`${nowMs}: a ticket of ${atMs} cannot be opened`);
      }
      if (ring.length > 5) wrong.push(`${nowMs}: ${ring.length} keys`);
    }
    expect(wrong).toEqual([]);
    expect(issued.size).toBe(6);
    // And they go when they are of no use.
    expect(ring.some(({ issueFromMs }) => issueFromMs === 0)).toBe(false);
  });

  test('after a long time without anybody, the old key goes on until the new one is known', () => {
    const old = makeTicketKey(0);
    const nowMs = 100 * ROTATE_MS;
    const ring = advanceRing([old], nowMs, ROTATE_MS);
    expect(ring?.map(({ issueFromMs }) => issueFromMs)).toEqual([nowMs + noticeMs(ROTATE_MS), 0]);
    expect(issuingKey(ring ?? [], nowMs)).toBe(old);
  });

  test('a ring whose time has not come for this clock is used from its oldest end', () => {
    const [soon, later] = [makeTicketKey(5000), makeTicketKey(9000)];
    expect(issuingKey([later, soon], 0)).toBe(soon);
    expect(issuingKey([], 0)).toBeUndefined();
  });
});

describe('on paper', () => {
  test('comes back as it was', () => {
    const ring = [makeTicketKey(2), makeTicketKey(1)];
    expect(readRing(JSON.parse(JSON.stringify(writeRing(ring))))).toEqual(ring);
  });

  const [good] = writeRing([makeTicketKey(1)]);
  test.each<[string, unknown]>([
    ['nothing', null],
    ['no list', {}],
    ['an empty list', []],
    ['a list of nothing', [null]],
    ['too many', Array.from({ length: MAX_KEYS + 1 }, () => good)],
    ['a short part', [{ ...good, aes: 'AAAA' }]],
    ['a missing part', [{ ...good, hmac: undefined }]],
    ['a number as a part', [{ ...good, name: 7 }]],
    ['no time', [{ ...good, issueFromMs: 'now' }]],
    ['no end of time', [{ ...good, issueFromMs: Number.POSITIVE_INFINITY }]],
  ])('%s is no ring', (_what, written) => {
    expect(readRing(written)).toBeNull();
  });
});

describe('P11: sealed', () => {
  const ring = [makeTicketKey(1), makeTicketKey(0)];

  test('opens with the same secret, again and again, and in no other way', async () => {
    const one = new RingSeal('one secret of ours');
    const sealed = await one.seal(ring);
    expect(await new RingSeal('one secret of ours').open(sealed)).toEqual({ kind: 'ring', ring });
    expect(await new RingSeal('another secret').open(sealed)).toEqual({ kind: 'wrong_secret' });
    expect(await one.seal(ring)).not.toBe(sealed);
  });

  test('whoever has opened one seals with the same salt, so that nobody derives a key twice', async () => {
    const sealed = await new RingSeal('one secret of ours').seal(ring);
    const other = new RingSeal('one secret of ours');
    await other.open(sealed);
    expect((await other.seal(ring)).split('.')[1]).toBe(sealed.split('.')[1]);
  });

  test('every change of a character is noticed', async () => {
    const seal = new RingSeal('one secret of ours');
    const sealed = await seal.seal(ring);
    const at = sealed.lastIndexOf('.') + 1;
    for (let index = at; index < sealed.length - 1; index += 7) {
      const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
      expect(await seal.open(changed), `at ${index}`).toEqual({ kind: 'wrong_secret' });
    }
  });

  test.each(['', 'v1', 'v1..', 'v2.AAAA.BBBB', `v1.${'A'.repeat(22)}.AAAA`, 'x'.repeat(20_000)])(
    '%.20s is nothing',
    async text => {
      expect(await new RingSeal('one secret of ours').open(text)).toEqual({ kind: 'unknown' });
    },
  );
});
