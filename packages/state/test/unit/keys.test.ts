import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxKeyBytes, stickKey } from '../../src/keys.ts';

const digest = (value: string): string => `sha256:${createHash('sha256').update(value).digest('hex')}`;

describe('stickKey', () => {
  it.each([
    ['subscriber1'],
    ['with space and | and :'],
    ['x'.repeat(128)],
    ['ä'.repeat(64)],
    ['設備-1'],
    ['😀'],
    ['SHA256:abc'],
    ['sha256'],
  ])('keeps %j', value => {
    expect(stickKey(value)).toBe(value);
  });

  it.each([
    ['x'.repeat(129), '129 bytes'],
    ['ä'.repeat(65), '130 bytes of UTF-8 in 65 characters'],
    ['a\nb', 'a control character'],
    ['a\u007f', 'DEL'],
    ['a\u0085b', 'a C1 control character'],
    ['a\u200bb', 'a format character'],
    ['\u202eabc', 'a change of direction'],
    ['a\u2028b', 'a line separator'],
    ['a\u2029b', 'a paragraph separator'],
    ['a\u{e000}', 'a private character'],
    ['a\u{10ffff}', 'an unassigned character'],
    ['sha256:0123', 'a forged digest'],
    [digest('other'), "another value's digest"],
  ])('digests %j: %s', value => {
    expect(stickKey(value)).toBe(digest(value));
  });

  it('never gives two values one key, and never breaks its own rule', () => {
    const values = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(values, values, (one, other) => {
        const key = stickKey(one);
        expect(Buffer.byteLength(key)).toBeLessThanOrEqual(maxKeyBytes);
        expect(key).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(stickKey(other) === key).toBe(other === one);
      }),
    );
  });
});
