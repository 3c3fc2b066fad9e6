import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerStatus } from '../../../src/route/scheduler.ts';
import { BackendView } from '../../../src/route/view.ts';
import { backend, server, status } from './backend.ts';

const NONE: ReadonlySet<string> = new Set();
const SERVERS = [server('a'), server('b'), server('c', { backup: true }), server('z', { weight: 0 })];

function view(...statuses: Parameters<typeof status>[]): BackendView {
  const made = new BackendView(backend(SERVERS));
  made.update(SERVERS.map(({ name, weight }) => status(name, { weight })));
  made.update(statuses.map(one => status(...one)));
  return made;
}

test('update() names those that were up and are not any more, once', () => {
  const made = new BackendView(backend(SERVERS));
  const fallen = (...statuses: ServerStatus[]) => made.update(statuses).fallen;
  expect(fallen(status('a', { up: false }), status('b'), status('stranger'))).toEqual([]);
  expect(fallen(status('a'), status('b', { up: false }))).toEqual(['b']);
  expect(fallen(status('a', { suspect: true }), status('b', { up: false }))).toEqual([]);
  expect(fallen(status('a', { up: false }))).toEqual(['a']);
});

test('update() names those that go to maint, once, and not among the fallen', () => {
  const made = new BackendView(backend(SERVERS));
  const change = (...statuses: ServerStatus[]) => made.update(statuses);
  // A worker that starts has no sessions.
  expect(change(status('a', { admin: 'maint' }), status('b'))).toEqual({ fallen: [], maintained: [], givenUp: [] });
  expect(change(status('a'), status('b', { admin: 'maint', up: false }))).toEqual({
    fallen: [],
    maintained: ['b'],
    givenUp: [],
  });
  expect(change(status('b', { admin: 'maint', up: false }))).toEqual({ fallen: [], maintained: [], givenUp: [] });
  expect(change(status('a', { admin: 'drain' }))).toEqual({ fallen: [], maintained: [], givenUp: [] });
  expect(change(status('a', { admin: 'maint' }))).toEqual({ fallen: [], maintained: ['a'], givenUp: [] });
});

describe('a server that is down here and up for another proxy', () => {
  const contested = { up: false, contested: true };

  test('takes those who come home, and nobody else', () => {
    const made = view(['a', contested]);
    expect([made.usable(NONE), made.target('a')?.config.name]).toEqual([['a', 'b', 'c', 'z'], 'a']);
    for (let key = 0; key < 50; key += 1) expect(made.agreed(`device-${key}`, NONE)).toBe('b');
    expect(made.usable(new Set(['a']))).toEqual(['b', 'c', 'z']);
  });

  test('is nobody else for those who would go to suspects', () => {
    const suspects = ['b', 'c', 'z'].map((name): Parameters<typeof status> => [name, { suspect: true }]);
    expect(view(['a', contested], ...suspects).usable(NONE)).toEqual(['a', 'b', 'c', 'z']);
    expect(view(['a', { ...contested, suspect: true }], ['b', { suspect: true }]).usable(NONE)).toEqual([
      'a',
      'c',
      'z',
    ]);
  });

  test('is no home in drain or maint, nor without an address; and falling it is fallen', () => {
    for (const more of [{ admin: 'drain' }, { admin: 'maint' }, { address: null }] as const) {
      const made = view(['a', { ...contested, ...more }]);
      expect([made.usable(NONE), made.target('a')]).toEqual([['b', 'c', 'z'], null]);
    }
    const made = view();
    const nothing = { fallen: [], maintained: [], givenUp: [] };
    expect(made.update([status('a', contested)])).toEqual({ ...nothing, fallen: ['a'] });
    expect(made.update([status('a', { up: false })])).toEqual({ ...nothing, givenUp: ['a'] });
    expect(made.update([status('a', { up: false })])).toEqual(nothing);
    expect([made.update([status('a', contested)]), made.update([status('a')])]).toEqual([nothing, nothing]);
  });
});

describe('what operators say', () => {
  test.each([
    ['ready', 'a b c z', true, /^[ab]$/],
    ['drain', 'b c z', false, /^b$/],
    ['drain_new', 'a b c z', true, /^b$/],
    ['maint', 'b c z', false, /^b$/],
  ] as const)('%s: usable(), target(), agreed()', (admin, usable, isTarget, agreed) => {
    const made = view(['a', { admin }]);
    expect([made.usable(NONE).join(' '), made.target('a') !== null]).toEqual([usable, isTarget]);
    for (let key = 0; key < 50; key += 1) expect(made.agreed(`device-${key}`, NONE)).toMatch(agreed);
  });

  test('agreed() goes by the effective weight', () => {
    const made = view(['a', { weight: 9 }], ['z', { weight: 10 }]);
    const homes = Array.from({ length: 2000 }, (_, key) => made.agreed(`device-${key}`, NONE));
    const share = (name: string): number => homes.filter(home => home === name).length / 100;
    expect([share('a'), share('b'), share('z')].map(Math.round)).toEqual([9, 1, 10]);
  });
});

test('reconfigure() keeps what is known of those that stay', () => {
  const made = view(['a', { suspect: true }]);
  made.reconfigure(backend([server('n'), server('a', { weight: 3 })]));
  expect(made.usable(NONE)).toEqual(['a']);
  expect([made.target('a')?.config.weight, made.target('b'), made.isSuspect('a')]).toEqual([3, null, true]);
  made.update([status('n'), status('b')]);
  expect(made.usable(NONE)).toEqual(['n']);
  expect(made.config.servers.map(({ name }) => name)).toEqual(['n', 'a']);
});

describe('usable()', () => {
  test.each([
    ['everybody: a server of weight 0 and a backup too', [], NONE, 'a b c z'],
    ['not who is down', [['a', { up: false }]], NONE, 'b c z'],
    ['not who has no address', [['a', { address: null }]], NONE, 'b c z'],
    ['not who was tried', [], new Set(['a', 'z']), 'b c'],
    ['not a suspect, while there are others', [['b', { suspect: true }]], NONE, 'a c z'],
    ['a suspect, where nobody else is left', [['b', { suspect: true }]], new Set(['a', 'c', 'z']), 'b'],
  ] as const)('P5: %s', (_what, statuses, tried, expected) => {
    expect(
      view(...statuses.map(one => [...one] as Parameters<typeof status>))
        .usable(tried)
        .join(' '),
    ).toBe(expected);
  });

  test('nobody, before the primary has said anything', () => {
    expect(new BackendView(backend(SERVERS)).usable(NONE)).toEqual([]);
    expect(new BackendView(backend(SERVERS)).agreed('k', NONE)).toBeNull();
  });
});

describe('agreed()', () => {
  test('P4: two views of the same servers agree on every key, in any order of the servers', () => {
    const other = new BackendView(backend([...SERVERS].reverse()));
    other.update(SERVERS.map(({ name, weight }) => status(name, { weight })));
    fc.assert(
      fc.property(fc.string(), key => {
        expect(other.agreed(key, NONE)).toBe(view().agreed(key, NONE));
      }),
    );
  });

  test('P4: only the keys of a server that falls move', () => {
    const fallen = view(['a', { up: false }]);
    fc.assert(
      fc.property(fc.string(), key => {
        const before = view().agreed(key, NONE);
        expect(fallen.agreed(key, NONE)).toBe(before === 'a' ? 'b' : before);
      }),
    );
  });

  test.each([
    ['never a backup or one of weight 0 while an active server is up', [], NONE, /^[ab]$/],
    ['a backup, when no active server is left', [], new Set(['a', 'b']), /^c$/],
    ['not a suspect, while there are others', [['a', { suspect: true }]], NONE, /^b$/],
    [
      'a trusted backup before an active suspect, as the scheduler does',
      [['a', { suspect: true }]],
      new Set(['b']),
      /^c$/,
    ],
    ['a suspect, where nobody else is left', [['a', { suspect: true }]], new Set(['b', 'c']), /^a$/],
    ['nobody of weight 0, not even alone', [], new Set(['a', 'b', 'c']), /^nobody$/],
  ] as const)('P5: %s', (_what, statuses, tried, expected) => {
    const made = view(...statuses.map(one => [...one] as Parameters<typeof status>));
    for (let key = 0; key < 50; key += 1) expect(made.agreed(`device-${key}`, tried) ?? 'nobody').toMatch(expected);
  });
});

test('target() is the address to dial, and nothing for who has none', () => {
  const made = view(['b', { address: null }], ['a', { address: '192.0.2.9', suspect: true }]);
  expect(made.target('a')).toMatchObject({ address: '192.0.2.9', config: { name: 'a' } });
  expect([made.target('b'), made.target('stranger')]).toEqual([null, null]);
  expect([made.isSuspect('a'), made.isSuspect('b'), made.isSuspect('stranger')]).toEqual([true, false, false]);
});
