import { expect, test } from 'vitest';
import { exchangeEveryMs, ProxyRoster } from '../../src/proxy_roster.ts';

/** Seconds of Redis. */
const REDIS_S = 1_795_197_600;
const words = (beatS: number, more = ''): string => `version=1 role=active vip=none ${more}beat=${beatS.toFixed(3)}`;

function stateOf(roster: ProxyRoster, nowMs: number): string[] {
  return roster
    .others(nowMs)
    .map(({ name, isAlive, beatAgeMs }) => `${name} ${isAlive ? 'alive' : 'silent'} ${beatAgeMs}`);
}

test('a beat that is met first is as old as Redis says', () => {
  const roster = new ProxyRoster();
  roster.hear(['lb2', words(REDIS_S - 1), 'lb3', words(REDIS_S - 60)], REDIS_S * 1000, 5000);
  expect(stateOf(roster, 5000)).toEqual(['lb2 alive 1000', 'lb3 silent 60000']);
});

test('a beat that stays as it is becomes silent after 3 s, one that changes is alive again', () => {
  const roster = new ProxyRoster();
  const hear = (beatS: number, nowMs: number): void => roster.hear(['lb2', words(beatS)], REDIS_S * 1000, nowMs);
  hear(REDIS_S, 0);
  hear(REDIS_S, 2999);
  expect(stateOf(roster, 3000)).toEqual(['lb2 alive 3000']);
  expect(stateOf(roster, 3001)).toEqual(['lb2 silent 3001']);
  hear(REDIS_S + 1, 4000);
  expect(stateOf(roster, 4000)).toEqual(['lb2 alive 0']);
});

test('another Redis takes over whose clock is an hour off: who goes on to beat stays alive', () => {
  const roster = new ProxyRoster();
  roster.hear(['lb2', words(REDIS_S)], REDIS_S * 1000, 0);
  roster.hear(['lb2', words(REDIS_S)], (REDIS_S + 3600) * 1000, 100);
  expect(stateOf(roster, 100)).toEqual(['lb2 alive 100']);
  roster.hear(['lb2', words(REDIS_S - 3600)], (REDIS_S - 3600) * 1000, 1000);
  expect(stateOf(roster, 1000)).toEqual(['lb2 alive 0']);
});

test('who is not in the hash any more is gone, and what cannot be a proxy never was', () => {
  const roster = new ProxyRoster();
  roster.hear(['lb2', words(REDIS_S), 'bad name', words(REDIS_S), 'lb3', 'no beat', 'lb4'], REDIS_S * 1000, 0);
  expect(stateOf(roster, 0)).toEqual(['lb2 alive 0']);
  roster.hear([], REDIS_S * 1000, 10);
  expect(stateOf(roster, 10)).toEqual([]);
});

test('sheets count for 3 s, and only while their proxy is alive', () => {
  const roster = new ProxyRoster();
  roster.hear(['lb2', words(REDIS_S)], REDIS_S * 1000, 0);
  roster.hearConns('lb2', new Map([['emqx/a', 5]]), 0);
  roster.hearHealth('lb2', new Map([['emqx/a', 'UP L7OK']]), 1000);
  roster.hearConns('stranger', new Map([['emqx/a', 5]]), 0);
  expect(roster.others(0)[0]).toMatchObject({
    conns: new Map([['emqx/a', 5]]),
    health: new Map([['emqx/a', 'UP L7OK']]),
  });
  roster.hear(['lb2', words(REDIS_S + 1)], REDIS_S * 1000, 2000);
  expect(roster.others(3500)[0]).toMatchObject({
    isAlive: true,
    conns: null,
    health: new Map([['emqx/a', 'UP L7OK']]),
  });
  roster.hearConns('lb2', new Map(), 5000);
  expect(roster.others(5100)[0]).toMatchObject({ isAlive: false, conns: null, health: null });
});

test('of 100 proxies 64 are kept', () => {
  const roster = new ProxyRoster();
  roster.hear(Array.from({ length: 100 }, (_, i) => [`lb${i}`, words(REDIS_S)]).flat(), REDIS_S * 1000, 0);
  expect(roster.others(0)).toHaveLength(64);
});

test('alone once a second, with others ten times, with many never more than a hundred counts a second', () => {
  expect([0, 1, 5, 10, 20, 63].map(exchangeEveryMs)).toEqual([1000, 100, 100, 100, 200, 630]);
});
