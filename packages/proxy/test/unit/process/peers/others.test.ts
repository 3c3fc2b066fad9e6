import type { OtherProxy } from '@limpet/state';
import { expect, test } from 'vitest';
import { connsElsewhere, matesOf, peerFacts, upElsewhere } from '../../../../src/process/peers/others.ts';

function other(name: string, more: Partial<OtherProxy> = {}): OtherProxy {
  return {
    ...{ name, version: '0.1.0', role: 'active', ready: true, vip: [], startedAtMs: 5, isAlive: true, beatAgeMs: 40 },
    conns: new Map([
      ['emqx/a', 3],
      ['emqx/b', 4],
    ]),
    health: new Map([['emqx/a', 'UP L7OK']]),
    healthAgeMs: 70,
    ...more,
  };
}

const silent: Partial<OtherProxy> = { isAlive: false, conns: null, health: null, healthAgeMs: null };
const VIP = '10.0.0.100';

test('counts of all others are added up; of those that are silent nothing is known', () => {
  const sums = connsElsewhere([other('lb2'), other('lb3'), other('lb4', silent)], {
    role: 'active',
    vip: [],
    roleForMs: 9000,
  });
  expect(sums).toEqual(
    new Map([
      ['emqx/a', 6],
      ['emqx/b', 8],
    ]),
  );
});

test.each([
  ['the standby of its own pair does not count', 'active', [VIP], 'standby', [VIP], 0],
  ['of a pair with several addresses neither', 'active', ['10.0.0.1', VIP], 'standby', [VIP, '10.0.0.9'], 0],
  ['the standby of another pair counts', 'active', [VIP], 'standby', ['10.0.0.200'], 3],
  ['two that are active at once count each other', 'active', [VIP], 'active', [VIP], 3],
  ['a standby counts the active one', 'standby', [VIP], 'active', [VIP], 3],
  ['one without a pair counts everybody', 'active', [], 'standby', [VIP], 3],
] as const)('%s', (_, role, vip, theirRole, theirVip, conns) => {
  const here = { role, vip, roleForMs: 9000 };
  const sums = connsElsewhere([other('lb2', { role: theirRole, vip: theirVip })], here);
  expect(sums.get('emqx/a') ?? 0).toBe(conns);
});

test.each([
  ['the active one that has died does not count', 40, 50, 0],
  ['nor where its last word came late', 10, 1400, 0],
  ['it counts where it goes on', 40, 1600, 3],
  ['it does not, where it was last heard of soon after', 2900, 4000, 0],
] as const)('this proxy takes over: %s', (_, beatAgeMs, roleForMs, conns) => {
  const mate = other('lb2', { role: 'active', vip: [VIP], beatAgeMs });
  expect(connsElsewhere([mate], { role: 'active', vip: [VIP], roleForMs }).get('emqx/a') ?? 0).toBe(conns);
});

test('a server is up elsewhere where the checks of one other proxy say so', () => {
  const health = (words: string): Partial<OtherProxy> => ({ health: new Map([['emqx/b', words]]) });
  const up = (...words: string[]): boolean => upElsewhere(words.map(one => other('x', health(one)))).has('emqx/b');
  expect(['UP L7OK', 'UP', 'up', 'UP L9OK since=5'].every(words => up('DOWN L4CON', words))).toBe(true);
  expect(up('DOWN L7OK UP', 'MAINT', 'DRAIN', 'no check', 'UPSET', ' UP', '')).toBe(false);
});

test('a mate sees a server in a backend where its checks find one, whatever operators say', () => {
  const sees = (words: string): boolean | undefined => {
    const health = new Map([
      ['emqx2/a', 'UP'],
      ['emqx/b', words],
    ]);
    return matesOf([other('lb2', { vip: [VIP], health })], [VIP])[0]?.sees('emqx');
  };
  const there = ['UP L4OK', 'no check', 'NO CHECK', 'DRAIN UP L7OK', 'MAINT no check', 'DRAIN'];
  expect(there.filter(sees)).toEqual(there);
  expect(['DOWN', 'MAINT DOWN L4CON', 'DRAIN DOWN', 'no checks', ''].filter(sees)).toEqual([]);
});

test('mates are those that live behind the same address; of one nothing may be known', () => {
  const mate = other('lb2', { vip: ['10.0.0.9', VIP] });
  const strangers = [other('lb3', { vip: ['10.0.0.8'] }), other('lb4'), other('lb5', { vip: [VIP], ...silent })];
  expect(matesOf([mate, ...strangers], [VIP, '10.0.0.7'])).toMatchObject([{ heardAgoMs: 70 }]);
  expect(matesOf(strangers, [VIP])).toEqual([]);
  const [unheard] = matesOf([other('lb6', { vip: [VIP], health: null, healthAgeMs: null })], [VIP]);
  expect([unheard?.heardAgoMs, unheard?.sees('emqx')]).toEqual([Number.POSITIVE_INFINITY, true]);
});

test('as the faces show it', () => {
  const known = {
    name: 'lb2',
    self: false,
    version: '0.1.0',
    role: 'active',
    ready: true,
    vip: [],
    startedAtMs: 5,
    beatAgeMs: 40,
  };
  expect(peerFacts(other('lb2'))).toEqual({ ...known, state: 'alive', conns: 7 });
  expect(peerFacts(other('lb2', silent))).toEqual({ ...known, state: 'silent', conns: null });
});
