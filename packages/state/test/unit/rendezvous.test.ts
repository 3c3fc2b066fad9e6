import { describe, expect, it } from 'vitest';
import { rendezvous } from '../../src/rendezvous.ts';

const keys = Array.from({ length: 30_000 }, (_, i) => `device-${i.toString(36)}`);

function shares(servers: readonly { name: string; weight: number }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) {
    const first = rendezvous(key, servers)[0] ?? 'none';
    counts[first] = (counts[first] ?? 0) + 1;
  }
  return counts;
}

const equal = ['emqx1', 'emqx2', 'emqx3'].map(name => ({ name, weight: 1 }));

describe('rendezvous', () => {
  it('is the same on every host: known answers', () => {
    const servers = [...equal, { name: 'emqx4', weight: 2 }];
    expect(
      ['subscriber1', '', '設備-1', 'a', 'b', 'c', 'd'].map(key => rendezvous(key, servers).join(' ')),
    ).toMatchInlineSnapshot(`
      [
        "emqx4 emqx2 emqx3 emqx1",
        "emqx1 emqx3 emqx4 emqx2",
        "emqx4 emqx2 emqx3 emqx1",
        "emqx4 emqx3 emqx2 emqx1",
        "emqx1 emqx2 emqx4 emqx3",
        "emqx4 emqx3 emqx1 emqx2",
        "emqx4 emqx2 emqx1 emqx3",
      ]
    `);
  });

  it('does not depend on the order in which the servers are told', () => {
    for (const key of keys.slice(0, 200)) expect(rendezvous(key, equal.toReversed())).toEqual(rendezvous(key, equal));
  });

  it('spreads evenly: within five standard deviations', () => {
    for (const count of Object.values(shares(equal))) expect(Math.abs(count - 10_000)).toBeLessThan(5 * 82);
  });

  it('spreads by weight', () => {
    const counts = shares([
      { name: 'a', weight: 1 },
      { name: 'b', weight: 5 },
    ]);
    expect(Math.abs((counts.a ?? 0) - 5000)).toBeLessThan(5 * 65);
  });

  it('spreads a second choice evenly, too', () => {
    const second = keys.filter(key => rendezvous(key, equal)[0] === 'emqx1').map(key => rendezvous(key, equal)[1]);
    const share = second.filter(name => name === 'emqx2').length / second.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.025);
  });

  it('moves only the keys of a server that goes, and each to its second choice', () => {
    for (const key of keys.slice(0, 2000)) {
      const [first, second] = rendezvous(key, equal);
      const after = rendezvous(
        key,
        equal.filter(server => server.name !== 'emqx2'),
      )[0];
      expect(after).toBe(first === 'emqx2' ? second : first);
    }
  });

  it('moves keys only towards a server that gains weight', () => {
    const heavier = equal.map(server => (server.name === 'emqx3' ? { ...server, weight: 2 } : server));
    for (const key of keys.slice(0, 2000)) {
      const before = rendezvous(key, equal)[0];
      const after = rendezvous(key, heavier)[0];
      if (after !== before) expect(after).toBe('emqx3');
    }
  });

  it('leaves servers without weight out', () => {
    expect(rendezvous('k', [{ name: 'a', weight: 0 }])).toEqual([]);
    expect(rendezvous('k', [])).toEqual([]);
  });
});
