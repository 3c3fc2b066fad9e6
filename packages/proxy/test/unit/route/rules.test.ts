import { describe, expect, test } from 'vitest';
import type { RefuseWord, RouteCondition, RouteConfig, RouteField } from '../../../src/config/resolved.ts';
import { compileRoutes, type RouteFacts, refuseCode } from '../../../src/route/rules.ts';

const FACTS: RouteFacts = {
  clientId: 'plant7-sensor1',
  username: 'bob',
  sni: 'broker.example.com',
  source: '192.0.2.7',
  version: 4,
  path: '/mqtt',
  certCn: 'meter 7',
};

function condition(field: RouteField, matcher: Partial<RouteCondition>): RouteCondition {
  return { field, exact: [], prefixes: [], patterns: [], cidrs: [], ...matcher };
}

function to(backend: string, ...when: readonly RouteCondition[]): RouteConfig {
  return { when, action: { backend } };
}

function holds(when: RouteCondition, facts: Partial<RouteFacts> = {}): boolean {
  return compileRoutes([to('yes', when)])({ ...FACTS, ...facts }).kind === 'backend';
}

describe('a field', () => {
  test.each<readonly [string, RouteCondition, Partial<RouteFacts>, boolean]>([
    ['exact', condition('client_id', { exact: ['a', 'plant7-sensor1'] }), {}, true],
    ['exact is the whole', condition('client_id', { exact: ['plant7'] }), {}, false],
    ['exact, case', condition('username', { exact: ['Bob'] }), {}, false],
    ['an empty client id', condition('client_id', { exact: [''] }), { clientId: '' }, true],
    ['prefix', condition('client_id', { prefixes: ['gate-', 'plant7-'] }), {}, true],
    ['prefix at the beginning only', condition('client_id', { prefixes: ['sensor1'] }), {}, false],
    ['expression', condition('client_id', { patterns: ['^x', 'sensor\\d$'] }), {}, true],
    ['expression, no match', condition('client_id', { patterns: ['^sensor'] }), {}, false],
    ['expression of Unicode', condition('username', { patterns: ['^.$'] }), { username: '🐚' }, true],
    ['any of them', condition('username', { exact: ['x'], prefixes: ['y'], patterns: ['^b'] }), {}, true],
    ['none of them', condition('username', { exact: ['x'], prefixes: ['y'], patterns: ['^z'] }), {}, false],
    ['no user name', condition('username', { patterns: [''] }), { username: null }, false],
    ['server name', condition('sni', { exact: ['broker.example.com'] }), {}, true],
    [
      'server name in other case',
      condition('sni', { exact: ['broker.example.com'] }),
      { sni: 'Broker.Example.COM' },
      true,
    ],
    ['no server name', condition('sni', { prefixes: ['b'] }), { sni: null }, false],
    ['path', condition('path', { prefixes: ['/m'] }), {}, true],
    ['no WebSocket', condition('path', { prefixes: ['/'] }), { path: null }, false],
    ['common name', condition('cert_cn', { exact: ['meter 7'] }), {}, true],
    ['no certificate', condition('cert_cn', { patterns: ['.*'] }), { certCn: null }, false],
    ['version 3.1', condition('version', { exact: ['3.1'] }), { version: 3 }, true],
    ['version 3.1.1', condition('version', { exact: ['3.1', '3.1.1'] }), { version: 4 }, true],
    ['version 5.0', condition('version', { exact: ['5.0'] }), { version: 5 }, true],
    ['another version', condition('version', { exact: ['3.1', '5.0'] }), { version: 4 }, false],
  ])('%s', (_what, when, facts, expected) => {
    expect(holds(when, facts)).toBe(expected);
  });

  test('P7: values of more than 1,024 characters match no expression, and are compared all the same', () => {
    const long = 'x'.repeat(1025);
    expect(holds(condition('client_id', { patterns: ['^x'] }), { clientId: long.slice(1) })).toBe(true);
    expect(holds(condition('client_id', { patterns: ['^x'] }), { clientId: long })).toBe(false);
    expect(holds(condition('client_id', { prefixes: ['x'] }), { clientId: long })).toBe(true);
    expect(holds(condition('client_id', { exact: [long] }), { clientId: long })).toBe(true);
  });
});

describe('source', () => {
  test.each([
    ['192.0.2.7', ['192.0.2.0/24'], true],
    ['192.0.3.7', ['192.0.2.0/24'], false],
    ['192.0.2.7', ['10.0.0.0/8', '192.0.2.7/32'], true],
    ['2001:db8::7', ['2001:db8::/32'], true],
    ['2001:db9::7', ['2001:db8::/32'], false],
    ['fe80::1%eth0', ['fe80::/10'], true],
    ['192.0.2.7', ['::/0'], false],
    ['2001:db8::7', ['0.0.0.0/0'], false],
    ['', ['0.0.0.0/0', '::/0'], false],
  ])('%s in %j: %s', (source, cidrs, expected) => {
    expect(holds(condition('source', { cidrs }), { source })).toBe(expected);
  });
});

describe('rules', () => {
  const bob = condition('username', { exact: ['bob'] });
  const eve = condition('username', { exact: ['eve'] });
  const plant = condition('client_id', { prefixes: ['plant7-'] });

  test.each<readonly [string, readonly RouteConfig[], object]>([
    ['none at all', [], { kind: 'default' }],
    ['none holds', [to('a', eve)], { kind: 'default' }],
    ['the first that holds', [to('a', eve), to('b', bob), to('c', plant)], { kind: 'backend', backend: 'b' }],
    ['all conditions must hold', [to('a', bob, eve), to('b', bob, plant)], { kind: 'backend', backend: 'b' }],
    ['without conditions it holds', [to('a', eve), to('b')], { kind: 'backend', backend: 'b' }],
    ['refused', [{ when: [bob], action: { refuse: 'banned' } }, to('b', bob)], { kind: 'refuse', word: 'banned' }],
  ])('%s', (_what, routes, expected) => {
    expect(compileRoutes(routes)(FACTS)).toEqual(expected);
  });

  test('answer the same for every client in turn', () => {
    const decide = compileRoutes([to('a', condition('client_id', { patterns: ['sensor'] }))]);
    expect([1, 2, 3].map(() => decide(FACTS).kind)).toEqual(['backend', 'backend', 'backend']);
  });
});

// 3.1.1, table 3.1, and 5.0, table 3-1.
test.each<readonly [RefuseWord, number, number]>([
  ['not_authorized', 0x05, 0x87],
  ['banned', 0x05, 0x8a],
  ['server_unavailable', 0x03, 0x88],
  ['busy', 0x03, 0x89],
  ['quota', 0x03, 0x97],
  ['identifier_rejected', 0x02, 0x85],
])('%s is %i in 3.x and %i in 5.0', (word, v3, v5) => {
  expect([refuseCode(word, 3), refuseCode(word, 4), refuseCode(word, 5)]).toEqual([v3, v3, v5]);
});
