import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times, World, type WorldOptions } from '../kit/world.ts';

/** Both have listened, and one holds. */
function settled(options: WorldOptions = {}): World {
  const world = new World(options);
  world.run(500);
  expect(world.holders()).toHaveLength(1);
  return world;
}

function holderOf(world: World): number {
  const [holder, ...more] = world.holders();
  if (holder === undefined || more.length > 0) throw new Error(`${1 + more.length} holders`);
  return holder;
}

/** Runs, and says the longest time in which nobody, and in which both, had the address. */
function watched(world: World, ms: number): { gapMs: number; overlapMs: number } {
  const longest = { 0: 0, 2: 0 };
  const current = { 0: 0, 2: 0 };
  world.run(ms, () => {
    const { length } = world.holders();
    for (const kind of [0, 2] as const) {
      current[kind] = length === kind ? current[kind] + 1 : 0;
      longest[kind] = Math.max(longest[kind], current[kind]);
    }
  });
  return { gapMs: longest[0], overlapMs: longest[2] };
}

describe('a pair in health', () => {
  it('has one holder, the one with the higher priority', () => {
    expect(holderOf(settled({ priorities: [100, 120] }))).toBe(1);
    expect(holderOf(settled({ priorities: [120, 100] }))).toBe(0);
  });

  it.each([true, false])('moves nothing while nothing happens (with Redis: %s)', hasRedis => {
    const world = settled({ hasRedis });
    expect(watched(world, 10_000)).toEqual({ gapMs: 0, overlapMs: 0 });
    expect(world.moves).toHaveLength(1);
  });

  it('moves nothing when Redis goes away and comes back', () => {
    const world = settled();
    world.trouble.isRedisDown = true;
    world.run(3_000);
    world.trouble.isRedisDown = false;
    world.run(3_000);
    expect(world.moves).toHaveLength(1);
  });

  it.each([
    ['both ways', [true, true]],
    ['one way', [true, false]],
    ['the other way', [false, true]],
  ] as const)('moves nothing when heartbeats are lost %s while Redis shows a fresh lease', (_, [first, second]) => {
    const world = settled();
    world.trouble.isMute[0] = first;
    world.trouble.isMute[1] = second;
    world.run(3_000);
    expect(world.moves).toHaveLength(1);
  });
});

describe('a pair that loses its holder', () => {
  it('moves at once when the holder resigns', () => {
    const world = settled();
    const old = holderOf(world);
    world.happen(old, { kind: 'track', isGood: false });
    expect(watched(world, 500).gapMs).toBeLessThan(5);
    expect(holderOf(world)).toBe(1 - old);
  });

  it.each([true, false])('moves after dead_after when it dies, and does not move back (Redis: %s)', hasRedis => {
    const world = settled({ hasRedis, priorities: [120, 100] });
    world.crash(0, 400);
    const { gapMs, overlapMs } = watched(world, 3_000);
    expect(gapMs).toBeLessThan(times.deadMs + 10);
    expect(overlapMs).toBe(0);
    expect(world.moves.map(({ node }) => node)).toEqual([0, 1]);
  });

  it('moves back with preemption, without a gap that dead_after would make', () => {
    const world = settled({ preempt: true, priorities: [120, 100] });
    world.crash(0, 400);
    world.run(200);
    expect(holderOf(world)).toBe(1);
    expect(watched(world, 3_000).gapMs).toBeLessThan(15);
    expect(holderOf(world)).toBe(0);
  });

  it('moves when Redis dies with it', () => {
    const world = settled();
    world.trouble.isRedisDown = true;
    world.trouble.isQuiet = true;
    world.crash(0, 5_000);
    expect(watched(world, 1_000).gapMs).toBeLessThan(times.deadMs + 40);
  });

  it('has no holder while both are not ready', () => {
    const world = settled();
    for (const i of [0, 1]) world.happen(i, { kind: 'track', isGood: false });
    world.run(500);
    expect(world.holders()).toEqual([]);
    world.happen(1, { kind: 'track', isGood: true });
    world.run(100);
    expect(world.holders()).toEqual([1]);
  });
});

describe('a fencing number', () => {
  it.each([true, false])(
    'begins with the clock, so that it does not go back when all is forgotten (Redis: %s)',
    hasRedis => {
      const fenceOf = (world: World): number => world.node(holderOf(world)).state.fence;
      const world = settled({ hasRedis });
      const before = fenceOf(world);
      expect(before).toBeGreaterThan(1_700_000_000);
      for (let round = 0; round < 3; round++) {
        world.happen(holderOf(world), { kind: 'track', isGood: false });
        world.run(300);
        world.happen(1 - holderOf(world), { kind: 'track', isGood: true });
        world.run(700);
      }
      expect(fenceOf(world)).toBe(before + 3);
      const later = settled({ hasRedis, wallMs: 1_700_000_060_000 });
      expect(fenceOf(later)).toBeGreaterThan(fenceOf(world));
    },
  );
});

describe('an address that something else removes', () => {
  const vanish = (world: World, i: number): void => {
    world.node(i).hasAddress = false;
    world.happen(i, { kind: 'vanished' });
  };

  it('is set again by its holder, under the same number', () => {
    const world = settled();
    const holder = holderOf(world);
    for (let round = 0; round < 6; round++) {
      vanish(world, holder);
      expect(world.holders()).toEqual([holder]);
      world.run(4_000);
    }
    expect(new Set(world.moves.map(({ node, fence }) => `${node} ${fence}`)).size).toBe(1);
  });

  it('goes to the other host when it vanishes a fourth time within ten seconds', () => {
    const world = settled();
    const holder = holderOf(world);
    for (let round = 0; round < 4; round++) {
      expect(world.holders()).toEqual([holder]);
      vanish(world, holder);
      if (round < 3) world.run(1_000);
    }
    expect(world.node(holder).state.told).toBe('FAULT');
    expect(watched(world, 8_000)).toMatchObject({ overlapMs: 0 });
    expect(holderOf(world)).toBe(1 - holder);
    expect(world.node(holder).state.told).toBe('BACKUP');
  });
});

describe('an address that cannot be removed', () => {
  it.each([true, false])('is left where it is by the other host, until it is gone (Redis: %s)', hasRedis => {
    const world = settled({ hasRedis });
    const old = holderOf(world);
    world.trouble.isStuck[old] = true;
    world.happen(old, { kind: 'track', isGood: false });
    expect(watched(world, 5_000)).toEqual({ gapMs: 0, overlapMs: 0 });
    expect(world.node(old).state).toMatchObject({ role: 'leaving', told: 'FAULT' });
    world.trouble.isStuck[old] = false;
    world.run(200);
    expect(holderOf(world)).toBe(1 - old);
  });

  it('has its proxy told FAULT, also where that one is well', () => {
    const world = settled({ preempt: true, priorities: [120, 100] });
    world.crash(0, 400);
    world.run(200);
    world.trouble.isStuck[1] = true;
    world.run(3_000);
    expect(world.node(1).state).toMatchObject({ role: 'leaving', told: 'FAULT', isTrackGood: true });
    expect(world.holders()).toEqual([1]);
  });

  it('does not keep a host from stopping for longer than it is there', () => {
    const world = settled();
    const old = holderOf(world);
    world.trouble.isStuck[old] = true;
    world.happen(old, { kind: 'stop' });
    world.run(1_000);
    expect(world.node(old).state.isFinished).toBe(false);
    world.trouble.isStuck[old] = false;
    world.run(200);
    expect(world.node(old).state.isFinished).toBe(true);
  });
});

describe('a host that is cut off', () => {
  it('lets go within its lease, and the other one takes over', () => {
    const world = settled();
    const old = holderOf(world);
    world.trouble.isIsolated[old] = true;
    const { gapMs, overlapMs } = watched(world, 2_000);
    expect(gapMs).toBeLessThan(times.deadMs + 10);
    expect(overlapMs).toBeLessThan(times.leaseMs);
    expect(world.holders()).toEqual([1 - old]);
    world.trouble.isIsolated[old] = false;
    expect(watched(world, 2_000)).toEqual({ gapMs: 0, overlapMs: 0 });
    expect(world.holders()).toEqual([1 - old]);
  });

  it('takes nothing from the holder when it was the standby', () => {
    const world = settled();
    const holder = holderOf(world);
    world.trouble.isIsolated[1 - holder] = true;
    world.run(2_000);
    world.trouble.isIsolated[1 - holder] = false;
    world.run(2_000);
    expect(world.holders()).toEqual([holder]);
    expect(world.moves.filter(({ node }) => node === holder)).toHaveLength(1);
  });

  it.each(['frames', 'link'])('takes nothing back when it hears again, and heartbeats come later (%s)', what => {
    const world = settled();
    const old = holderOf(world);
    world.trouble.isRedisDown = true;
    world.trouble.isIsolated[old] = true;
    if (what === 'link') world.node(old).hasCarrier = false;
    world.run(1_000);
    world.trouble.isMute.fill(true);
    world.trouble.isIsolated[old] = false;
    world.node(old).hasCarrier = true;
    world.run(1_100);
    world.trouble.isMute.fill(false);
    expect(watched(world, 2_000)).toEqual({ gapMs: 0, overlapMs: 0 });
    expect(world.holders()).toEqual([1 - old]);
    expect(world.moves).toHaveLength(2);
  });

  it('takes the address when it hears again and is the only one left', () => {
    const world = settled();
    const old = holderOf(world);
    world.trouble.isRedisDown = true;
    world.trouble.isQuiet = true;
    world.node(old).hasCarrier = false;
    world.crash(1 - old, 60_000);
    world.run(1_000);
    expect(world.holders()).toEqual([]);
    world.node(old).hasCarrier = true;
    world.run(2_000);
    expect(world.holders()).toEqual([old]);
  });

  it('loses against the holder, whatever its number, when it took the address in blindness', () => {
    const world = settled();
    const holder = holderOf(world);
    world.trouble.isIsolated[1 - holder] = true;
    world.run(180);
    expect(world.holders()).toEqual([0, 1]);
    world.trouble.isIsolated[1 - holder] = false;
    world.run(1_000);
    expect(world.holders()).toEqual([holder]);
    // Its own number is above the other one's again.
    expect(world.node(holder).state.fence).toBeGreaterThan(world.node(1 - holder).state.fence);
  });

  it.each([true, false])('is not waited for when it hears nobody, and is heard still (Redis: %s)', hasRedis => {
    // Of two equal ones the other one would leave it to this one, which cannot know that it may take it.
    const world = settled({ hasRedis });
    expect(holderOf(world)).toBe(0);
    world.trouble.isDeaf[0] = true;
    expect(watched(world, 5_000).gapMs).toBeLessThan(20);
    expect(holderOf(world)).toBe(1);
    world.trouble.isDeaf[0] = false;
    expect(watched(world, 2_000)).toEqual({ gapMs: 0, overlapMs: 0 });
    expect(world.moves).toHaveLength(2);
  });

  it.each(['no Redis', 'Redis for the one that is not heard'])(
    'leaves the address to one that cannot hear it, and has taken it (%s)',
    redis => {
      const world = settled({ hasRedis: redis !== 'no Redis' });
      expect(holderOf(world)).toBe(0);
      world.trouble.isRedisCut[1] = true;
      world.trouble.isMute[0] = true;
      expect(watched(world, 5_000).overlapMs).toBeLessThan(times.leaseMs * 2 + 20);
      expect(holderOf(world)).toBe(1);
      world.trouble.isMute[0] = false;
      expect(watched(world, 2_000)).toEqual({ gapMs: 0, overlapMs: 0 });
    },
  );

  it('keeps the address where a standby that hears nobody has taken it, and lets go by itself', () => {
    const world = settled();
    world.trouble.isDeaf[1] = true;
    world.run(3_000);
    expect(world.holders()).toEqual([0]);
    expect(world.moves.filter(({ node }) => node === 0)).toHaveLength(1);
  });

  it('keeps the address when the other host and Redis are gone, and clients are still there', () => {
    const world = settled();
    const holder = holderOf(world);
    world.trouble.isRedisDown = true;
    world.crash(1 - holder, 60_000);
    expect(watched(world, 5_000)).toEqual({ gapMs: 0, overlapMs: 0 });
    expect(world.notes).toContain('vip_alone');
  });
});

describe('a clock that jumps', () => {
  it.each([5_000, -5_000])('makes the holder drop the address (%i ms)', jumpMs => {
    const world = settled();
    const old = holderOf(world);
    world.node(old).wallJumpMs = jumpMs;
    world.run(100);
    expect(world.holders()).toEqual([1 - old]);
    expect(world.notes).toContain('vip_clock');
  });

  it('is what a paused host sees: it drops the address before anything else', () => {
    const world = settled();
    const old = holderOf(world);
    world.node(old).pausedUntilMs = world.nowMs + 2_000;
    world.run(1_999);
    expect(world.holders()).toEqual([0, 1]);
    world.run(3);
    expect(world.holders()).toEqual([1 - old]);
  });
});

type Fault = Readonly<{ kind: string; node: 0 | 1; lastsMs: number; thenMs: number }>;

const FAULTS = 'mute split redis redis_cut isolate deaf quiet crash pause track jump'.split(' ');

const faults: fc.Arbitrary<Fault[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...FAULTS),
    node: fc.constantFrom<0 | 1>(0, 1),
    lastsMs: fc.integer({ min: 1, max: 1_200 }),
    // Some faults lie over each other.
    thenMs: fc.integer({ min: 0, max: 900 }),
  }),
  { minLength: 1, maxLength: 7 },
);

function cause(world: World, { kind, node, lastsMs }: Fault): void {
  const { trouble } = world;
  const set = (apply: (isOn: boolean) => void): void => {
    apply(true);
    world.after(lastsMs, () => apply(false));
  };
  if (kind === 'mute') set(isOn => (trouble.isMute[node] = isOn));
  else if (kind === 'split') set(isOn => trouble.isMute.fill(isOn));
  else if (kind === 'redis') set(isOn => (trouble.isRedisDown = isOn));
  else if (kind === 'redis_cut') set(isOn => (trouble.isRedisCut[node] = isOn));
  else if (kind === 'isolate') set(isOn => (trouble.isIsolated[node] = isOn));
  else if (kind === 'deaf') set(isOn => (trouble.isDeaf[node] = isOn));
  else if (kind === 'quiet') set(isOn => (trouble.isQuiet = isOn));
  else if (kind === 'crash') world.crash(node, lastsMs);
  else if (kind === 'pause') world.node(node).pausedUntilMs = world.nowMs + lastsMs;
  else if (kind === 'track') set(isOn => world.happen(node, { kind: 'track', isGood: !isOn }));
  else world.node(node).wallJumpMs += lastsMs * 10;
}

/** What no trouble excuses. */
function checkAlways(world: World): void {
  for (const [fence, owners] of world.owners) {
    if (owners.size > 1) throw new Error(`both have held number ${fence}`);
  }
  for (const i of [0, 1]) {
    const node = world.node(i);
    const isAsleep = !node.isRunning || world.nowMs < node.pausedUntilMs + times.intervalMs;
    const silentMs = world.nowMs - Math.max(node.supportedMs, node.state.sinceMs);
    if (node.hasAddress && !isAsleep && silentMs > times.leaseMs + times.intervalMs * 2 + 12) {
      throw new Error(`host ${i} has held for ${silentMs} ms without hearing anything`);
    }
  }
}

describe('whatever happens to a pair', () => {
  const options = fc.record({ hasRedis: fc.boolean(), preempt: fc.boolean() });

  it('no number has two holders, the silent one lets go, and after it there is one holder that stays', () => {
    fc.assert(
      fc.property(options, faults, (chosen, list) => {
        const world = new World({ ...chosen, priorities: [100, 110] });
        world.run(400);
        for (const fault of list) {
          cause(world, fault);
          world.run(fault.thenMs, () => checkAlways(world));
        }
        // All faults end, and track files are as they were.
        world.run(1_300, () => checkAlways(world));
        for (const i of [0, 1]) world.happen(i, { kind: 'track', isGood: true });
        world.run(1_500, () => checkAlways(world));
        const { length } = world.moves;
        const calm = watched(world, 1_000);
        expect({ holders: world.holders().length, ...calm }).toEqual({ holders: 1, gapMs: 0, overlapMs: 0 });
        expect(world.moves.length).toBe(length);
      }),
      { numRuns: 200, endOnFailure: false },
    );
  });
});
