import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Admission } from '../../../src/listen/admission.ts';
import { leaseBlock } from '../../../src/listen/leases.ts';
import { LeaseOffice } from './lease_office.ts';

const step = fc.record({
  what: fc.constantFrom('arrive', 'arrive', 'arrive', 'leave', 'leave', 'deliver', 'deliver', 'deliver', 'die'),
  which: fc.nat(50),
});
const plan = fc.record({
  maxconn: fc.integer({ min: 1, max: 60 }),
  most: fc.array(fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 10 })), {
    minLength: 1,
    maxLength: 4,
  }),
  steps: fc.array(step, { maxLength: 200 }),
});

function run(office: LeaseOffice, what: string, which: number): void {
  const slot = which % office.desks.length;
  if (what === 'arrive') office.desks[slot]?.arrive();
  else if (what === 'leave') office.desks[slot]?.leave();
  else if (what === 'die') office.die(slot);
  else office.deliver(which);
}

describe('global.maxconn over all workers', () => {
  test('never more than the limit, whatever is on its way; and when all is said, nobody waits beside an unused place', () => {
    fc.assert(
      fc.property(plan, ({ maxconn, most, steps }) => {
        const office = new LeaseOffice(maxconn, most);
        for (const { what, which } of steps) {
          run(office, what, which);
          expect(office.used).toBeLessThanOrEqual(maxconn);
          for (const desk of office.desks) expect(desk.admission.used).toBeLessThanOrEqual(desk.most);
        }
        expect(office.settle()).toBe(true);
        expect(office.used).toBeLessThanOrEqual(maxconn);
        if (office.waiting > 0) expect(office.used).toBe(maxconn);
      }),
      { numRuns: 500 },
    );
  });

  test('whoever waits gets in when others leave, at whichever worker they were', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 2, max: 4 }),
        fc.nat(50),
        (maxconn, workers, seed) => {
          const office = new LeaseOffice(maxconn, Array<number>(workers).fill(Number.POSITIVE_INFINITY));
          office.settle();
          for (let client = 0; client < maxconn; client += 1) {
            office.desks[0]?.arrive();
            office.settle();
          }
          expect(office.desks[0]?.admission.used).toBe(maxconn);
          const last = office.desks[workers - 1];
          for (let client = 0; client < maxconn; client += 1) last?.arrive();
          office.settle();
          for (let gone = 1; gone <= maxconn; gone += 1) {
            office.desks[0]?.leave();
            office.deliver(seed);
            office.settle();
            expect(last?.admission.used).toBe(gone);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('P8: what a dead worker had is there for the others', () => {
    const office = new LeaseOffice(10, [99, 99]);
    for (let client = 0; client < 10; client += 1) office.desks[0]?.arrive();
    office.settle();
    for (let client = 0; client < 4; client += 1) office.desks[1]?.arrive();
    office.settle();
    expect(office.desks.map(({ admission, waiting }) => [admission.used, waiting])).toEqual([
      [10, 0],
      [0, 4],
    ]);
    office.die(0);
    office.settle();
    expect(office.desks.map(({ admission, waiting }) => [admission.used, waiting])).toEqual([
      [0, 0],
      [4, 0],
    ]);
  });

  test('far from the limit a thousand connections cost a few messages', () => {
    const office = new LeaseOffice(100_000, [99_999, 99_999]);
    office.settle();
    const before = office.messages;
    for (let client = 0; client < 1000; client += 1) {
      office.desks[client % 2]?.arrive();
      office.settle();
    }
    expect(office.desks.map(({ waiting }) => waiting)).toEqual([0, 0]);
    expect(office.messages - before).toBeLessThan(20);
  });
});

describe('one worker', () => {
  function scene(block: number, most: number, over = 0) {
    const said: string[] = [];
    const admission = new Admission(
      { lease: count => said.push(`lease ${count}`), unlease: count => said.push(`unlease ${count}`) },
      { block, most, over },
    );
    let rooms = 0;
    admission.onRoom(() => {
      rooms += 1;
    });
    return { admission, said, rooms: () => rooms };
  }

  test('asks once, and tells of room only to whom it had refused', () => {
    const { admission, said, rooms } = scene(4, 99);
    admission.start();
    expect([admission.enter(), admission.enter()]).toEqual([false, false]);
    expect(said).toEqual(['lease 4']);
    admission.granted(4);
    expect(rooms()).toBe(1);
    expect([1, 2, 3, 4].map(() => admission.enter())).toEqual([true, true, true, true]);
    expect(said).toEqual(['lease 4', 'lease 4']);
    admission.granted(4);
    expect(rooms()).toBe(1);
  });

  test('without descriptors it asks for nothing: others may need the places', () => {
    const { admission, said, rooms } = scene(4, 2);
    admission.start();
    admission.granted(4);
    const entered = [1, 2, 3, 4, 5].map(() => admission.enter());
    expect(entered).toEqual([true, true, false, false, false]);
    expect(said).toEqual(['lease 4']);
    admission.leave();
    expect(rooms()).toBe(1);
    expect(admission.enter()).toBe(true);
  });

  test('some that have been accepted already are let in above that, and room is told of below it', () => {
    const { admission, rooms } = scene(8, 2, 1);
    admission.start();
    admission.granted(8);
    expect([1, 2, 3, 4].map(() => admission.enter())).toEqual([true, true, true, false]);
    expect([admission.isFull, admission.room]).toEqual([true, -1]);
    admission.leave();
    expect([rooms(), admission.isFull]).toEqual([0, true]);
    admission.leave();
    expect([rooms(), admission.room]).toEqual([1, 1]);
  });

  test('what is above it must be leased all the same', () => {
    const { admission } = scene(2, 2, 1);
    admission.start();
    admission.granted(2);
    expect([1, 2, 3].map(() => admission.enter())).toEqual([true, true, false]);
  });

  test('gives back what it does not use: a block when it has plenty, everything when others wait', () => {
    const { admission, said } = scene(4, 99);
    admission.start();
    admission.granted(12);
    for (let client = 0; client < 9; client += 1) admission.enter();
    for (let client = 0; client < 6; client += 1) admission.leave();
    expect(said).toEqual(['lease 4', 'unlease 4']);
    admission.recall();
    expect(said.at(-1)).toBe('unlease 5');
    admission.leave();
    expect(said.at(-1)).toBe('unlease 1');
    admission.granted(4);
    admission.leave();
    expect(said.length).toBe(4);
  });
});

test.each([
  [100_000, 4, 256],
  [1000, 2, 62],
  [20, 4, 1],
  [1, 8, 1],
])('of %d connections each of %d workers leases %d at once', (maxconn, workers, block) => {
  expect(leaseBlock(maxconn, workers)).toBe(block);
});
