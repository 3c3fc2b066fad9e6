import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Config, FrontendConfig, PaceConfig } from '../../../src/config/resolved.ts';
import { Door } from '../../../src/gate/door.ts';
import { FrontendLeases } from '../../../src/gate/frontend_leases.ts';
import { Gatekeeper } from '../../../src/gate/gatekeeper.ts';
import { Pacer } from '../../../src/gate/pacer.ts';
import { WaitingRoom } from '../../../src/gate/waiting_room.ts';
import { StillClock } from './clock.ts';

const NO_SOURCE_LIMITS = { maxconn: null, connRate: null, connectRate: null };

function configOf(frontend: Partial<FrontendConfig>, backendRate: PaceConfig | null = null): Config {
  const none = { name: 'mqtt', perSource: NO_SOURCE_LIMITS, connRate: null, connectRate: null, maxconn: null };
  return {
    global: { workers: 2 },
    frontends: [{ ...none, ...frontend }],
    backends: [{ name: 'emqx', connectRate: backendRate }],
  } as unknown as Config;
}

describe('a pace that changes', () => {
  function scene(limit: number, queueTimeoutMs: number) {
    const clock = new StillClock(1000);
    const pacer = new Pacer({ limit, queue: 100, queueTimeoutMs }, clock);
    const told: string[] = [];
    const ask = (who: string): void => void pacer.ask(verdict => told.push(`${who} ${verdict}`));
    for (const who of ['a', 'b', 'c', 'd']) ask(who);
    return { clock, pacer, told };
  }

  test('those who wait keep their order, and go at the new pace', () => {
    const { clock, pacer, told } = scene(1, 60_000);
    expect(told).toEqual(['a go']);
    pacer.reconfigure({ limit: 100, queue: 100, queueTimeoutMs: 60_000 });
    clock.advance(1025);
    expect(told).toEqual(['a go', 'b go', 'c go', 'd go']);
  });

  test('a shorter time to wait counts from when they came', () => {
    const { clock, pacer, told } = scene(1, 60_000);
    clock.advance(500);
    pacer.reconfigure({ limit: 0.001, queue: 100, queueTimeoutMs: 600 });
    clock.advance(99);
    expect(told).toEqual(['a go']);
    clock.advance(2);
    expect(told.slice(1)).toEqual(['b queue_timeout', 'c queue_timeout', 'd queue_timeout']);
  });

  test('a queue that is too long now keeps whoever is in it, and takes nobody more', () => {
    const { pacer, told } = scene(1, 60_000);
    pacer.reconfigure({ limit: 1, queue: 1, queueTimeoutMs: 60_000 });
    expect([pacer.waiting, told]).toEqual([3, ['a go']]);
    pacer.ask(verdict => told.push(`e ${verdict}`));
    expect(told.at(-1)).toBe('e queue_full');
  });

  test('where there is none any more, all go', () => {
    const { clock, pacer, told } = scene(1, 60_000);
    pacer.open();
    expect([pacer.waiting, told]).toEqual([0, ['a go', 'b go', 'c go', 'd go']]);
    clock.advance(5000);
    expect(told).toHaveLength(4);
  });
});

describe('a gatekeeper that goes over to another configuration', () => {
  function scene(config: Config) {
    const clock = new StillClock(1000);
    const keeper = new Gatekeeper(config, clock);
    const answers: string[] = [];
    const tell = (session: number) => (answer: { kind: string }) => void answers.push(`${session} ${answer.kind}`);
    const source = '192.0.2.1';
    return {
      clock,
      keeper,
      answers,
      enter: (session: number) => keeper.enter({ worker: 1, session }, { frontend: 'mqtt', source }, tell(session)),
      connect: (session: number) =>
        keeper.connect({ worker: 1, session }, { frontend: 'mqtt', source, backend: 'emqx' }, tell(session)),
    };
  }

  test('what a source holds stays held, under a higher limit and a lower one', () => {
    const limits = (maxconn: number): Config => configOf({ perSource: { ...NO_SOURCE_LIMITS, maxconn } });
    const { keeper, answers, enter } = scene(limits(2));
    for (const session of [1, 2, 3]) enter(session);
    keeper.reconfigure(limits(3));
    for (const session of [4, 5]) enter(session);
    keeper.reconfigure(limits(1));
    keeper.leave({ worker: 1, session: 1 });
    enter(6);
    keeper.leave({ worker: 1, session: 2 });
    keeper.leave({ worker: 1, session: 4 });
    enter(7);
    expect(answers).toEqual(['1 in', '2 in', '3 refused', '4 in', '5 refused', '6 refused', '7 in']);
  });

  test('those who wait for a frontend or a backend keep waiting; when its limit goes, so do they', () => {
    const pace = (limit: number): PaceConfig => ({ limit, queue: 10, queueTimeoutMs: 60_000 });
    const { clock, keeper, answers, connect } = scene(configOf({}, pace(1)));
    for (const session of [1, 2, 3, 4]) connect(session);
    keeper.reconfigure(configOf({}, pace(2)));
    expect([keeper.waiting, answers]).toEqual([3, ['1 in']]);
    clock.advance(1050);
    expect(answers).toEqual(['1 in', '2 in']);
    keeper.reconfigure(configOf({}, null));
    expect(answers).toEqual(['1 in', '2 in', '3 in', '4 in']);
  });

  test('a frontend that is gone lets those go who wait at it', () => {
    const connectRate = { limit: 1, queue: 10, queueTimeoutMs: 60_000 };
    const { keeper, answers, connect } = scene(configOf({ connectRate }));
    for (const session of [1, 2]) connect(session);
    keeper.reconfigure({ ...configOf({}), frontends: [] });
    expect([keeper.waiting, answers]).toEqual([0, ['1 in', '2 in']]);
  });
});

test('a room with more places tells at once, one with fewer keeps who is in it', () => {
  const room = new WaitingRoom(1);
  let heard = 0;
  room.onRoom(() => {
    heard += 1;
  });
  expect([room.enter(), room.enter()]).toEqual([true, false]);
  room.setPlaces(3);
  expect(heard).toBe(1);
  expect([room.enter(), room.enter(), room.enter()]).toEqual([true, true, false]);
  room.setPlaces(2);
  expect([room.waiting, heard, room.enter()]).toEqual([3, 1, false]);
});

/** Two workers' doors of one frontend and the primary, which all change over in one moment. */
class Doors {
  readonly #leases: FrontendLeases;
  readonly #doors: Door[];
  readonly inside = [0, 0];

  constructor() {
    this.#leases = new FrontendLeases(configOf({}), {
      grant: (worker, _frontend, count) => this.#doors[worker]?.granted(count),
      recall: () => {
        for (const door of this.#doors) door.recall();
      },
    });
    this.#doors = [0, 1].map(worker => {
      const lessor = {
        lease: (count: number) => this.#leases.ask(worker, 'mqtt', count),
        unlease: (count: number) => this.#leases.giveBack(worker, 'mqtt', count),
      };
      const [frontend] = configOf({}).frontends;
      if (frontend === undefined) throw new Error('no frontend');
      return new Door(
        frontend,
        2,
        { room: Number.POSITIVE_INFINITY, enter: () => true, enterAnyway() {}, leave() {} },
        lessor,
      );
    });
  }

  get used(): number {
    return this.inside.reduce((sum, count) => sum + count, 0);
  }

  set(maxconn: number | null): void {
    const config = configOf({ maxconn });
    const [frontend] = config.frontends;
    this.#leases.reconfigure(config);
    for (const door of this.#doors) if (frontend !== undefined) door.reconfigure(frontend, 2);
  }

  enter(worker: number): boolean {
    const door = this.#doors[worker];
    // As a listener does: a no asks for more, which is there at once here, unless it is recalled at once as well.
    const isIn = [1, 2, 3, 4].some(() => door?.enter() === true);
    if (isIn) this.inside[worker] = (this.inside[worker] ?? 0) + 1;
    return isIn;
  }

  leave(worker: number): void {
    if (!this.inside[worker]) return;
    this.inside[worker] = (this.inside[worker] ?? 0) - 1;
    this.#doors[worker]?.leave();
  }
}

/** One step; whether somebody has entered. */
function play(doors: Doors, does: string, which: number): boolean {
  if (does === 'enter') return doors.enter(which % 2);
  if (does === 'leave') doors.leave(which % 2);
  else doors.set(does === 'set' ? which + 1 : null);
  return false;
}

/** All steps, and then that exactly the whole limit can be had. */
function playAll(steps: readonly { readonly does: string; readonly which: number }[]): void {
  const doors = new Doors();
  let limit = Number.POSITIVE_INFINITY;
  for (const { does, which } of steps) {
    const before = doors.used;
    const entered = play(doors, does, which);
    if (does === 'set') limit = which + 1;
    else if (does === 'none') limit = Number.POSITIVE_INFINITY;
    if (entered) expect(before).toBeLessThan(limit);
  }
  doors.set(30);
  while (doors.used > 0) for (const worker of [0, 1]) doors.leave(worker);
  for (let count = 0; count < 60; count += 1) doors.enter(count % 2);
  expect(doors.used).toBe(30);
}

describe('a frontend’s maxconn that comes, changes and goes', () => {
  test('those who were there before it count', () => {
    const doors = new Doors();
    for (const worker of [0, 0, 1]) doors.enter(worker);
    doors.set(4);
    expect([doors.enter(1), doors.enter(0), doors.enter(1)]).toEqual([true, false, false]);
    doors.leave(0);
    expect([doors.enter(1), doors.enter(0)]).toEqual([true, false]);
    doors.set(null);
    expect([doors.enter(0), doors.enter(0)]).toEqual([true, true]);
  });

  test('a first limit counts what every worker has before anybody new', () => {
    const doors = new Doors();
    for (const worker of [1, 1]) doors.enter(worker);
    doors.set(2);
    expect([doors.enter(0), doors.enter(1)]).toEqual([false, false]);
    doors.leave(1);
    expect([doors.enter(0), doors.enter(1)]).toEqual([true, false]);
  });

  test('whatever comes, leaves and changes: nobody enters above the limit, and all of it can be had', () => {
    const step = fc.record({
      does: fc.constantFrom('enter', 'enter', 'enter', 'leave', 'leave', 'set', 'none'),
      which: fc.nat(20),
    });
    fc.assert(fc.property(fc.array(step, { maxLength: 150 }), steps => playAll(steps)));
  });
});
