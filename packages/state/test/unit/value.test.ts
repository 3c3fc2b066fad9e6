import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue, encodeValue } from '../../src/value.ts';

describe('the value of an entry', () => {
  it.each([
    [{ server: 'emqx1', owner: 'lb1/2', epoch: 17, state: 'pinned' }, 'emqx1|lb1/2|17|o'],
    [{ server: 'emqx1', owner: 'lb1/2', epoch: 0, state: 'pending' }, 'emqx1|lb1/2|0|p'],
    [{ server: 'a|b', owner: 'lb1/2', epoch: 1_733_000_000_000, state: 'cooling' }, 'a|b|lb1/2|1733000000000|c'],
  ] as const)('%j is written %s', (entry, text) => {
    expect(encodeValue(entry)).toBe(text);
    expect(decodeValue(text)).toEqual(entry);
  });

  it.each(['emqx2', '', 'a|b', 'a|b|c|o', 'a|b|1|x', 'a|b|1|o '])('written by hand, %j is a server', text => {
    expect(decodeValue(text)).toEqual({ server: text, owner: '', epoch: 0, state: 'cooling' });
  });

  it('survives any name', () => {
    const owner = fc.string().filter(text => !text.includes('|'));
    const state = fc.constantFrom('pending', 'pinned', 'cooling');
    fc.assert(
      fc.property(fc.record({ server: fc.string(), owner, epoch: fc.maxSafeNat(), state }), entry => {
        expect(decodeValue(encodeValue(entry))).toEqual(entry);
      }),
    );
  });
});
