import { describe, expect, it } from 'vitest';
import { Journal, withClaimant } from '../../src/journal.ts';

const by = (epoch: number, owner = 'lb1/1') => ({ owner, epoch });
const pin = (epoch: number, server = 'a', key = 'k') => ({ key, server, by: by(epoch) });

describe('the journal', () => {
  it('keeps the last state of a key, and all that is known to be older', () => {
    const journal = new Journal(10);
    journal.claimed('k', by(1), by(7, 'lb2/1'));
    expect(journal.has('k')).toBe(false);
    journal.confirmed(pin(1));
    journal.claimed('k', by(2), by(1));
    journal.confirmed(pin(2, 'b'));
    journal.released(pin(2, 'b'), 500);
    expect(journal.oldest(9)).toEqual([
      { ...pin(2, 'b'), state: 'cooling', leftAtMs: 500, known: [by(7, 'lb2/1'), by(2)], slot: 0 },
    ]);
  });

  it('a claim that led to nothing leaves nothing', () => {
    const journal = new Journal(10);
    journal.claimed('k', by(1), by(7, 'lb2/1'));
    journal.abandoned('k');
    journal.confirmed(pin(2));
    expect(journal.get('k')?.known).toEqual([by(2)]);
  });

  it('P2: the late end of an older session changes nothing', () => {
    const journal = new Journal(10);
    journal.confirmed(pin(2, 'b'));
    journal.released(pin(1), 500);
    expect(journal.get('k')).toMatchObject({ server: 'b', state: 'pinned' });
  });

  it('a record that changed while it was written stays', () => {
    const journal = new Journal(10);
    journal.confirmed(pin(1));
    const [record] = journal.oldest(1);
    journal.released(pin(1), 500);
    if (record) journal.written(record);
    expect(journal.size).toBe(1);
    journal.settled('k');
    expect(journal.size).toBe(0);
  });

  it('is bounded, and counts what it loses', () => {
    const journal = new Journal(2);
    for (const key of ['a', 'b', 'c', 'a']) journal.confirmed(pin(1, 's', key));
    expect(journal.oldest(9).map(record => record.key)).toEqual(['c', 'a']);
    expect(journal.dropped).toBe(2);
    for (const key of ['x', 'y', 'z']) journal.claimed(key, by(9), by(8, 'lb2/1'));
    journal.confirmed(pin(9, 's', 'x'));
    expect(journal.get('x')?.known).toEqual([by(9)]);
  });
});

describe('withClaimant', () => {
  it.each([
    [[], by(1), [by(1)]],
    [[by(1)], by(2), [by(2)]],
    [[by(2)], by(1), [by(2)]],
    [[by(1, 'x')], by(2), [by(1, 'x'), by(2)]],
  ])('%j and %j: %j', (known, claimant, expected) => {
    expect(withClaimant(known, claimant)).toEqual(expected);
  });

  it('is read by slot, where keys are on several servers', () => {
    const journal = new Journal(10, key => Number(key.slice(1)));
    for (const key of ['k1', 'k2', 'k3', 'k4']) {
      journal.confirmed({ key, server: 'a', by: { owner: 'lb1/1', epoch: 1 } });
    }
    const isEven = (slot: number): boolean => slot % 2 === 0;
    expect(journal.oldest(10, isEven).map(({ key }) => key)).toEqual(['k2', 'k4']);
    expect(journal.oldest(1, isEven).map(({ key }) => key)).toEqual(['k2']);
    expect([journal.hasOf(isEven), journal.hasOf(slot => slot > 4)]).toEqual([true, false]);
  });
});
