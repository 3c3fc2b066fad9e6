import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LeaseOffice } from './lease_office.ts';

const step = fc.record({
  what: fc.constantFrom('arrive', 'arrive', 'arrive', 'leave', 'deliver', 'deliver', 'deliver', 'limit', 'die'),
  which: fc.nat(50),
});

function run(office: LeaseOffice, what: string, which: number): void {
  const desk = office.desks[which % office.desks.length];
  if (what === 'arrive') desk?.arrive();
  else if (what === 'leave') desk?.leave();
  else if (what === 'die') office.die(which % office.desks.length);
  else if (what === 'limit') office.setLimit(which + 1);
  else office.deliver(which);
}

describe('a maxconn that changes', () => {
  test('never more than the highest that there was; and when all is said, nobody waits beside an unused place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 200 }), (workers, steps) => {
        const office = new LeaseOffice(20, Array<number>(workers).fill(Number.POSITIVE_INFINITY));
        let limit = 20;
        let highest = limit;
        for (const { what, which } of steps) {
          if (what === 'limit') limit = which + 1;
          highest = Math.max(highest, limit);
          run(office, what, which);
          expect(office.used).toBeLessThanOrEqual(highest);
        }
        expect(office.settle()).toBe(true);
        if (office.waiting > 0) expect(office.used).toBeGreaterThanOrEqual(limit);
      }),
      { numRuns: 500 },
    );
  });

  test('a lower one sends nobody away, lets nobody in before there is room, and is exact then', () => {
    const office = new LeaseOffice(40, [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    for (let client = 0; client < 40; client += 1) {
      office.desks[client % 2]?.arrive();
      office.settle();
    }
    office.setLimit(10);
    office.settle();
    expect(office.used).toBe(40);
    for (let client = 0; client < 30; client += 1) office.desks[0]?.arrive();
    office.settle();
    expect([office.used, office.desks[0]?.waiting]).toEqual([40, 30]);
    for (let client = 0; client < 20; client += 1) {
      for (const desk of office.desks) desk.leave();
      office.settle();
      expect(office.used).toBe(Math.max(10, 40 - 2 * (client + 1)));
    }
    office.setLimit(25);
    office.settle();
    expect(office.used).toBe(25);
  });
});
