import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DepartureBoard, type Departures } from '../../../src/dial/departures.ts';
import { PortRing } from '../../../src/dial/port_ring.ts';

const PORTS = [1, 2, 3, 4, 5, 6];
/** Leaves the ports as they stand. */
const UNMIXED = (): number => 0.999;
const TO = { address: '10.0.0.1', port: 1883, source: ['10.0.0.11', '10.0.0.12'] };

const board = (ports = PORTS): DepartureBoard => new DepartureBoard(ports, 0, 1, UNMIXED);

function words(departures: Departures | null): string | null {
  const next = departures?.next() ?? null;
  return next && `${next.address} ${next.port}`;
}

describe('the ring of free ports', () => {
  test('a port that was given back is taken after all others', () => {
    const ring = new PortRing([1, 2, 3], UNMIXED);
    expect([ring.take(), ring.take()]).toEqual([1, 2]);
    ring.give(2);
    ring.give(1);
    expect([ring.take(), ring.take(), ring.take(), ring.take(), ring.free]).toEqual([3, 2, 1, null, 0]);
  });

  test('no port is ever out twice, and none is lost', () => {
    const moves = fc.array(fc.boolean(), { maxLength: 200 });
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 9 }), (takes, count) => {
        const ring = new PortRing(
          Array.from({ length: count }, (_, index) => index),
          Math.random,
        );
        const out: number[] = [];
        for (const isTake of takes) {
          const port = isTake ? ring.take() : null;
          if (port !== null) out.push(port);
          else if (!isTake) for (const given of out.splice(0, 1)) ring.give(given);
          expect(new Set(out).size).toBe(out.length);
          expect(out.length + ring.free).toBe(count);
        }
      }),
    );
  });

  test('two processes begin in different orders', () => {
    const many = Array.from({ length: 500 }, (_, index) => index);
    const taken = (): (number | null)[] => {
      const ring = new PortRing(many, Math.random);
      return many.map(() => ring.take());
    };
    const [one, other] = [taken(), taken()];
    expect(one).not.toEqual(other);
    expect(one.toSorted((a, b) => Number(a) - Number(b))).toEqual(many);
  });
});

describe('where connections begin', () => {
  test('at the source addresses in turn, and for each server at all ports', () => {
    const departures = board();
    const other = { ...TO, port: 1884 };
    expect([1, 2, 3].map(() => words(departures.to(TO)))).toEqual(['10.0.0.11 1', '10.0.0.12 1', '10.0.0.11 2']);
    expect(words(departures.to(other))).toBe('10.0.0.11 1');
  });

  test('a port that others have is passed over; with 16 of them, or none free, the next address follows', () => {
    const walk = board(Array.from({ length: 40 }, (_, index) => index + 1)).to(TO);
    const tried = Array.from({ length: 33 }, () => words(walk));
    expect(tried.slice(0, 2)).toEqual(['10.0.0.11 1', '10.0.0.11 2']);
    expect(tried.slice(15, 17)).toEqual(['10.0.0.11 16', '10.0.0.12 1']);
    expect(tried.slice(31)).toEqual(['10.0.0.12 16', null]);

    const small = board([7]);
    expect(words(small.to(TO))).toBe('10.0.0.11 7');
    expect(words(small.to({ ...TO, source: ['10.0.0.11'] }))).toBeNull();
    expect(words(small.to(TO))).toBe('10.0.0.12 7');
    const none = small.to(TO);
    expect([words(none), none?.areAllMissing]).toEqual([null, false]);
  });

  test('an address that is not on this host costs one try, and its port is free again', () => {
    const departures = board();
    const walk = departures.to(TO);
    const first = walk?.next();
    first?.release();
    walk?.skipAddress();
    expect([first?.address, words(walk)]).toEqual(['10.0.0.11', '10.0.0.12 1']);
    expect(walk?.areAllMissing).toBe(false);
    walk?.skipAddress();
    expect([words(walk), walk?.areAllMissing]).toEqual([null, true]);
    const again = departures.to({ ...TO, source: ['10.0.0.11'] });
    expect(PORTS.map(() => words(again))).toContain('10.0.0.11 1');
  });

  test('only addresses of the server’s family count; with none of them there is no way', () => {
    const source = ['2001:db8::11', '10.0.0.11'];
    const departures = board();
    expect(words(departures.to({ address: '2001:db8::1', port: 1883, source }))).toBe('2001:db8::11 1');
    expect(words(departures.to({ ...TO, source }))).toBe('10.0.0.11 1');
    expect(departures.to({ ...TO, source: ['2001:db8::11'] })).toBeNull();
  });

  test('another number of workers gives other ports', () => {
    const departures = new DepartureBoard(PORTS, 1, 2, UNMIXED);
    const one = { ...TO, source: ['10.0.0.11'] };
    expect(words(departures.to(one))).toBe('10.0.0.11 2');
    departures.reconfigure(3);
    expect([1, 2].map(() => words(departures.to(one)))).toEqual(['10.0.0.11 2', '10.0.0.11 5']);
  });

  test('a worker whose own ports are out borrows from the others', () => {
    const departures = new DepartureBoard(PORTS, 1, 2, UNMIXED);
    const one = { ...TO, source: ['10.0.0.11'] };
    const walks = PORTS.map(() => departures.to(one)?.next());
    expect(walks.map(next => next?.port)).toEqual([2, 4, 6, 1, 3, 5]);
    expect(words(departures.to(one))).toBeNull();
    walks[4]?.release();
    walks[2]?.release();
    expect([1, 2, 3].map(() => words(departures.to(one)))).toEqual(['10.0.0.11 6', '10.0.0.11 3', null]);
  });
});
