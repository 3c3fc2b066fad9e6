import { describe, expect, it } from 'vitest';
import type { RedisFleet } from '../../src/redis_fleet.ts';
import { scanStep } from '../../src/redis_scan.ts';

/** Servers by the address of each, with the slots that each begins with. */
function fleet(...shards: readonly (readonly [firstSlot: number, address: string])[]): RedisFleet {
  const nodes = shards.map(([firstSlot, address]) => ({ firstSlot, address, node: { address } }));
  return { shards: nodes } as unknown as RedisFleet;
}

const three = fleet([0, 'a:1'], [5461, 'b:1'], [10_923, 'c:1']);

/** The servers and cursors of a walk whose servers answer these cursors, one after the other. */
function walk(of: RedisFleet, answers: readonly string[], from: string | null = null): string[] {
  const seen: string[] = [];
  let cursor: string | null = from;
  for (const answer of answers) {
    const step = scanStep(of, cursor);
    if (step === null) break;
    seen.push(`${step.node.address} ${step.cursor}`);
    cursor = step.next(answer);
    if (cursor === null) break;
  }
  return seen;
}

describe('a walk through all servers', () => {
  it('goes from one to the next, and ends', () => {
    const seen = walk(three, ['17', '0', '0', '9', '0', 'never']);
    expect(seen).toEqual(['a:1 0', 'a:1 17', 'b:1 0', 'c:1 0', 'c:1 9']);
  });

  it('begins a part anew where another server has it now, and goes on behind it', () => {
    const cursor = scanStep(three, null)?.next('17') ?? '';
    expect(walk(fleet([0, 'replica:1'], [5461, 'b:1']), ['0', '0', 'never'], cursor)).toEqual(['replica:1 0', 'b:1 0']);
  });

  it('goes on where the part is that a shard had, when slots have moved', () => {
    const cursor = scanStep(three, '5461-ffff-0')?.next('4') ?? '';
    expect(walk(fleet([0, 'a:1'], [9000, 'c:1']), ['0', '0', 'never'], cursor)).toEqual(['a:1 0', 'c:1 0']);
  });

  it.each(['x', '12', '0-zzzz-1', '-1-0000-1', '99999999-0000-1'])(
    'a cursor that nobody gave out (%s) begins anew',
    text => {
      expect(scanStep(three, text)).toMatchObject({ node: { address: 'a:1' }, cursor: '0' });
    },
  );

  it('without a server there is none', () => {
    expect(scanStep(fleet(), null)).toBeNull();
  });
});
