import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Config, FrontendConfig } from '../../../src/config/resolved.ts';
import { Door, type Room } from '../../../src/gate/door.ts';
import { FrontendLeases } from '../../../src/gate/frontend_leases.ts';
import { WaitingRoom, waitingPlaces } from '../../../src/gate/waiting_room.ts';

const NAME = 'mqtt';
const OPEN: Room = { room: Number.POSITIVE_INFINITY, enter: () => true, enterAnyway() {}, leave() {} };

function frontend(limits: Partial<FrontendConfig>): FrontendConfig {
  return { name: NAME, maxconn: null, connRate: null, ...limits } as FrontendConfig;
}

/** Several workers' doors of one frontend, and the primary that they ask, without a line between them. */
class Doors {
  readonly #doors: Door[] = [];
  readonly leases: FrontendLeases;
  /** worker → how often it heard that there is room. */
  readonly heard: number[];
  readonly #dead = new Set<number>();

  constructor(limits: Partial<FrontendConfig>, workers: number, global: Room = OPEN) {
    const one = frontend(limits);
    this.heard = Array(workers).fill(0);
    const config = { frontends: [one, frontend({ name: 'free' } as Partial<FrontendConfig>)] } as unknown as Config;
    this.leases = new FrontendLeases(config, {
      grant: (worker, name, count) => name === NAME && this.#alive(worker)?.granted(count),
      recall: () => this.#recall(),
    });
    for (let worker = 0; worker < workers; worker += 1) {
      const lessor = {
        lease: (count: number) => this.leases.ask(worker, NAME, count),
        unlease: (count: number) => this.leases.giveBack(worker, NAME, count),
      };
      const door = new Door(one, workers, global, lessor);
      door.onRoom(() => {
        this.heard[worker] = (this.heard[worker] ?? 0) + 1;
      });
      this.#doors.push(door);
    }
    for (const door of this.#doors) door.start();
  }

  door(worker: number): Door {
    const door = this.#doors[worker];
    if (door === undefined) throw new Error(`no worker ${worker}`);
    return door;
  }

  /** As a listener does: refused, it tries again when it hears of room. */
  enter(worker: number): boolean {
    for (;;) {
      const heard = this.heard[worker];
      if (this.door(worker).enter()) return true;
      if (this.heard[worker] === heard) return false;
    }
  }

  die(worker: number): void {
    this.#dead.add(worker);
    this.leases.workerGone(worker);
  }

  #recall(): void {
    this.#doors.forEach((_, worker) => {
      this.#alive(worker)?.recall();
    });
  }

  #alive(worker: number): Door | undefined {
    return this.#dead.has(worker) ? undefined : this.#doors[worker];
  }
}

describe('a frontend’s maxconn', () => {
  test('is exact over all workers, and whoever was refused hears of room', () => {
    const doors = new Doors({ maxconn: 3 }, 2);
    expect([0, 1, 0, 1].map(worker => doors.enter(worker))).toEqual([true, true, true, false]);
    const heard = doors.heard[1] ?? 0;
    doors.door(0).leave();
    expect(doors.heard[1]).toBe(heard + 1);
    expect([doors.enter(1), doors.enter(0), doors.enter(1)]).toEqual([true, false, false]);
  });

  test('P8: a dead worker’s connections are room for the others', () => {
    const doors = new Doors({ maxconn: 2 }, 2);
    expect([doors.door(0).enter(), doors.door(0).enter(), doors.door(1).enter()]).toEqual([true, true, false]);
    doors.die(0);
    expect(doors.heard).toEqual([0, 1]);
    expect([doors.door(1).enter(), doors.door(1).enter(), doors.door(1).enter()]).toEqual([true, true, false]);
  });

  test('one that comes in above the limit counts, and gives nothing back that was not leased', () => {
    let global = 0;
    const house: Room = {
      room: Number.POSITIVE_INFINITY,
      enter: () => {
        global += 1;
        return true;
      },
      enterAnyway: () => {
        global += 1;
      },
      leave: () => {
        global -= 1;
      },
    };
    const doors = new Doors({ maxconn: 2, connRate: 1000 }, 2, house);
    expect([doors.enter(0), doors.enter(0), doors.enter(0)]).toEqual([true, true, false]);
    doors.door(0).enterAnyway();
    doors.door(0).answered();
    expect([global, doors.enter(1)]).toEqual([3, false]);
    doors.door(0).leave();
    // Two are inside: there is no room yet.
    expect([global, doors.enter(1)]).toEqual([2, false]);
    doors.door(0).leave();
    doors.door(0).leave();
    expect([global, doors.enter(1), doors.enter(1), doors.enter(1)]).toEqual([0, true, true, false]);
  });

  test('a connection for which the whole doors has no room does not count here', () => {
    let room = false;
    const doors = new Doors({ maxconn: 1 }, 1, { room: 0, enter: () => room, enterAnyway() {}, leave() {} });
    expect([doors.door(0).enter(), doors.door(0).enter()]).toEqual([false, false]);
    room = true;
    expect([doors.door(0).enter(), doors.door(0).enter()]).toEqual([true, false]);
  });

  test('a frontend that is full takes nothing of the whole doors’s room', () => {
    let used = 0;
    const global: Room = {
      room: Number.POSITIVE_INFINITY,
      enter: () => {
        used += 1;
        return true;
      },
      enterAnyway() {},
      leave: () => {
        used -= 1;
      },
    };
    const doors = new Doors({ maxconn: 2 }, 1, global);
    for (let count = 0; count < 5; count += 1) doors.door(0).enter();
    expect(used).toBe(2);
    doors.door(0).leave();
    expect(used).toBe(1);
  });

  test('whatever comes, leaves and dies: never more than the limit, and never a room that nobody can have', () => {
    const step = fc.record({ does: fc.constantFrom('enter', 'enter', 'leave', 'die'), worker: fc.nat(3) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(step, { maxLength: 200 }), (maxconn, steps) => {
        const model = new Model(maxconn);
        for (const { does, worker } of steps) {
          if (does === 'enter') model.enter(worker);
          else if (does === 'leave') model.leave(worker);
          // The last one stays, to see what is left.
          else if (worker !== 3) model.die(worker);
          expect(model.inUse).toBeLessThanOrEqual(maxconn);
        }
        for (let count = 0; count < maxconn; count += 1) model.enter(3);
        expect(model.inUse).toBe(maxconn);
      }),
    );
  });
});

/** Four workers' doors, and how many have entered by each. */
class Model {
  readonly #doors: Doors;
  readonly #used: number[] = [0, 0, 0, 0];
  readonly #dead = new Set<number>();

  constructor(maxconn: number) {
    this.#doors = new Doors({ maxconn }, 4);
  }

  get inUse(): number {
    return this.#used.reduce((sum, count) => sum + count, 0);
  }

  enter(worker: number): void {
    if (!this.#dead.has(worker) && this.#doors.enter(worker)) this.#change(worker, 1);
  }

  leave(worker: number): void {
    if (!this.#used[worker]) return;
    this.#change(worker, -1);
    this.#doors.door(worker).leave();
  }

  die(worker: number): void {
    if (this.#dead.has(worker)) return;
    this.#dead.add(worker);
    this.#used[worker] = 0;
    this.#doors.die(worker);
  }

  #change(worker: number, by: number): void {
    this.#used[worker] = (this.#used[worker] ?? 0) + by;
  }
}

describe('a frontend’s conn_rate: those who wait in a worker', () => {
  test.each([
    [1, 4, 1],
    [100, 4, 7],
    [1000, 2, 125],
    [100_000, 2, 256],
  ])('%i a second and %i workers: %i places', (connRate, workers, places) => {
    expect(waitingPlaces(connRate, workers)).toBe(places);
  });

  test('when no place is left nobody is accepted, until half of them are free', () => {
    const room = new WaitingRoom(4);
    let heard = 0;
    room.onRoom(() => {
      heard += 1;
    });
    expect([1, 2, 3, 4, 5].map(() => room.enter())).toEqual([true, true, true, true, false]);
    room.leave();
    expect([room.waiting, heard]).toEqual([3, 0]);
    room.leave();
    expect(heard).toBe(1);
    room.leave();
    expect(heard).toBe(1);
  });

  test('who has been answered is inside, but waits no more; who ends is outside', () => {
    const doors = new Doors({ connRate: 1, maxconn: 2 }, 1);
    const door = doors.door(0);
    expect([door.enter(), door.enter()]).toEqual([true, false]);
    door.answered();
    expect(doors.heard).toEqual([1]);
    expect([door.enter(), door.enter()]).toEqual([true, false]);
    door.answered();
    expect(door.enter()).toBe(false);
    door.leave();
    expect(door.enter()).toBe(true);
  });
});
