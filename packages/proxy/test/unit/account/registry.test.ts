import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Place, Registry } from '../../../src/account/registry.ts';

interface Told {
  readonly frontend: string;
  server: string | null;
  isThere: boolean;
  place: Place<Told> | null;
}

test('P12: every session is counted once, where it is, whatever order it comes, moves and leaves in', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'move', 'move', 'nowhere', 'remove'),
    which: fc.nat(9),
    server: fc.constantFrom('a', 'b'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const registry = new Registry<Told>();
      const sessions = Array.from({ length: 10 }, (_, at): Told => {
        return { frontend: at % 2 === 0 ? 'mqtt' : 'mqtts', server: null, isThere: false, place: null };
      });
      for (const { what, which, server } of steps) {
        const session = sessions[which];
        if (session === undefined) continue;
        act(registry, session, what, server);
        compare(registry, sessions);
      }
    }),
  );
});

function act(registry: Registry<Told>, session: Told, what: string, server: string): void {
  if (what === 'add' && !session.isThere) {
    registry.add(session);
    session.isThere = true;
  } else if (what === 'move' || what === 'nowhere') {
    const to = what === 'move' ? server : null;
    registry.moved(session, 'emqx', to);
    if (session.isThere) session.server = to;
  } else if (what === 'remove') {
    registry.remove(session);
    session.isThere = false;
    session.server = null;
  }
}

function compare(registry: Registry<Told>, sessions: readonly Told[]): void {
  const there = sessions.filter(({ isThere }) => isThere);
  const placed = there.filter(({ server }) => server !== null);
  expect(registry.size).toBe(there.length);
  expect(new Set(registry.all())).toEqual(new Set(there));
  for (const server of ['a', 'b']) {
    const here = placed.filter(one => one.server === server);
    expect(new Set(registry.at('emqx', server))).toEqual(new Set(here));
    for (const frontend of ['mqtt', 'mqtts'])
      expect(registry.counts(frontend, 'emqx', server)).toEqual({
        total: there.length,
        frontend: there.filter(one => one.frontend === frontend).length,
        backend: placed.length,
        server: here.length,
      });
  }
}

test('at() is a list of its own: sessions may leave while it is walked', () => {
  const registry = new Registry<Told>();
  const sessions = [1, 2, 3].map((): Told => ({ frontend: 'mqtt', server: 'a', isThere: true, place: null }));
  for (const session of sessions) {
    registry.add(session);
    registry.moved(session, 'emqx', 'a');
  }
  let walked = 0;
  for (const session of registry.at('emqx', 'a')) {
    registry.remove(session);
    walked += 1;
  }
  expect([walked, registry.size]).toEqual([3, 0]);
});

test('at() is in the order in which they came to the server, whoever left between them', () => {
  const registry = new Registry<Told>();
  const sessions = [1, 2, 3, 4].map((): Told => ({ frontend: 'mqtt', server: null, isThere: true, place: null }));
  const [first, second, third, fourth] = sessions as [Told, Told, Told, Told];
  for (const session of sessions) registry.add(session);
  for (const session of [third, first, fourth, second]) registry.moved(session, 'emqx', 'a');
  registry.remove(first);
  registry.moved(third, 'emqx', null);
  registry.moved(third, 'emqx', 'a');
  expect(registry.at('emqx', 'a').map(session => sessions.indexOf(session))).toEqual([3, 1, 2]);
});

test('what is not known is counted as nothing', () => {
  const registry = new Registry<Told>();
  expect(registry.counts('x', 'y', 'z')).toEqual({ total: 0, frontend: 0, backend: 0, server: 0 });
  expect(registry.at('y', 'z')).toEqual([]);
});
