import { MemoryTable, type StickEntry } from '@limpet/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches } from '../../../../src/admin/table/entry_filter.ts';
import { LineSplitter } from '../../../../src/admin/table/line_splitter.ts';
import { redisCursor, redisPlace } from '../../../../src/admin/table/page_cursor.ts';
import { RawReader, RawWriter } from '../../../../src/admin/table/raw_slice.ts';
import { isTableKey, tableKey } from '../../../../src/admin/table/table_key.ts';

describe('filter', () => {
  const entry = { key: 'device-17', server: 'a', state: 'cooling' } as const;

  it.each([
    [{}, 500, true],
    [{ server: 'a' }, 500, true],
    [{ server: 'b' }, 500, false],
    [{ state: 'cooling' }, 500, true],
    [{ state: 'pinned' }, 500, false],
    [{ ttlMsBelow: 500 }, 500, true],
    [{ ttlMsBelow: 499 }, 500, false],
    [{ ttlMsAbove: 500 }, 500, true],
    [{ ttlMsAbove: 501 }, 500, false],
    [{ ttlMsBelow: 1e12 }, null, false],
    [{ ttlMsAbove: 1e12 }, null, true],
    [{ keyContains: 'ice-1' }, 500, true],
    [{ keyContains: 'ICE' }, 500, false],
    [{ server: 'a', keyContains: 'x' }, 500, false],
  ] as const)('%j of an entry with %s left: %s', (filter, ttlMs, isMatch) => {
    expect(matches(entry, ttlMs, filter)).toBe(isMatch);
  });
});

describe('keys', () => {
  it.each([
    ['k', 'k'],
    [`sha256:${'a'.repeat(64)}`, `sha256:${'a'.repeat(64)}`],
    ['a\nb', expect.stringMatching(/^sha256:[0-9a-f]{64}$/)],
    ['k'.repeat(129), expect.stringMatching(/^sha256:/)],
    ['sha256:12', expect.stringMatching(/^sha256:[0-9a-f]{64}$/)],
  ])('%j', (text, key) => {
    expect(tableKey(text)).toEqual(key);
    expect(isTableKey(tableKey(text))).toBe(true);
  });

  it('nothing is no key', () => {
    expect(isTableKey('')).toBe(false);
  });
});

describe('lines', () => {
  it('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(40)), (texts, cuts) => {
        const lines = texts.map(text => text.replaceAll(/[\r\n]/g, ''));
        const bytes = Buffer.from(lines.map((line, i) => line + (i % 2 ? '\r\n' : '\n')).join(''));
        const splitter = new LineSplitter();
        const seen: (string | null)[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          seen.push(...splitter.feed(bytes.subarray(at, at + cut)));
          at += cut;
        }
        expect([...seen, ...splitter.end()]).toEqual(lines);
      }),
    );
  });

  it('the last one needs no end', () => {
    const splitter = new LineSplitter();
    expect(splitter.feed(Buffer.from('a\nb'))).toEqual(['a']);
    expect(splitter.end()).toEqual(['b']);
  });

  it('one that is too long comes as null, in bounded memory, and those behind it as they are', () => {
    const splitter = new LineSplitter();
    const seen = splitter.feed(Buffer.from('a\n'));
    for (let i = 0; i < 100; i++) seen.push(...splitter.feed(Buffer.alloc(10_000, 'x')));
    seen.push(...splitter.feed(Buffer.from('\nb\n')));
    expect(seen).toEqual(['a', null, 'b']);
    expect(splitter.feed(Buffer.from(`${'y'.repeat(20_000)}\nc\n`))).toEqual([null, 'c']);
  });
});

describe('cursors', () => {
  it('name their place', () => {
    for (const after of [null, 'k', 'ä ', '設備']) {
      for (const scan of ['18446744073709551615', '10923-07c3-18446744073709551615']) {
        const place = { scan, after };
        expect(redisPlace(redisCursor(place))).toEqual(place);
        expect(redisCursor(place)).toMatch(/^[\w.-]+$/);
      }
    }
  });

  it('of nobody begin anew', () => {
    for (const text of ['', 'x', '-1', '1.', '1.%00', null])
      expect(redisPlace(text)).toEqual({ scan: null, after: null });
  });
});

describe('raw slices', () => {
  it('hold entries as they are, through any number of buffers', () => {
    const memory = new MemoryTable({ size: 1000, times: { pendingMs: 1000, expireMs: 5000 }, now: () => 0 });
    const keys = Array.from({ length: 300 }, (_, i) => `${'設ä'.repeat(i % 20)}${i}`);
    keys.forEach((key, i) => {
      const pin = { key, server: `s${i % 5}`, by: { owner: `lb1/${i % 3}`, epoch: i * 2 ** 33 } };
      if (i % 3 === 0) memory.claim({ key, usable: [pin.server], candidate: pin.server, by: pin.by });
      else memory.confirm(pin);
      if (i % 3 === 2) memory.release(pin);
    });
    const writer = new RawWriter();
    const reader = new RawReader();
    const seen: StickEntry[] = [];
    const walk = memory.walk();
    let slices = 0;
    for (let isMore = true; isMore; slices++) {
      const buffer = new ArrayBuffer(2048);
      writer.begin(buffer);
      isMore = walk.slice((entry, ttlMs) => {
        writer.write(entry, ttlMs);
        return writer.hasRoom;
      });
      seen.push(...reader.read(buffer, writer.bytes, writer.takeNames()));
    }
    expect(slices).toBeGreaterThan(5);
    expect(new Map(seen.map(entry => [entry.key, entry]))).toEqual(new Map(keys.map(key => [key, memory.peek(key)])));
  });
});
