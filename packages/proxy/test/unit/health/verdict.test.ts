import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  carriedStreak,
  initialStreak,
  isUp,
  jitteredMs,
  nextIntervalMs,
  returningStreak,
  type Streak,
  type StreakEvent,
  stepStreak,
} from '../../../src/health/verdict.ts';

const LIMITS = { rise: 2, fall: 3 };
const CHECK = { ...LIMITS, interMs: 2000, fastinterMs: 500, downinterMs: 5000 };
const EVENTS: Readonly<Record<string, StreakEvent>> = { p: 'passed', f: 'failed', c: 'passive' };

/** What each event of the word left behind: `+` UP, `-` DOWN, upper-case U and D where it changed. */
function history(word: string, limits: { rise: number; fall: number } = LIMITS, from?: Streak): string {
  let streak = from ?? initialStreak(limits);
  return [...word].reduce((said, letter) => {
    const step = stepStreak(streak, EVENTS[letter] ?? 'failed', limits);
    streak = step.streak;
    const up = isUp(streak, limits);
    if (step.changed) return said + (up ? 'U' : 'D');
    return said + (up ? '+' : '-');
  }, '');
}

describe('streak', () => {
  test.each([
    ['starts UP and falls at the first failure', 'f', 'D'],
    ['falls after `fall` failures once it passed', 'pfff', '+++D'],
    ['a pass in between fills it again', 'pffpfff', '++++++D'],
    ['rises after `rise` passes', 'fpp', 'D-U'],
    ['a failure in between empties it', 'fpfpp', 'D---U'],
    ['after the rise it takes `fall` failures', 'fppfff', 'D-U++D'],
    ['a client counts as a failed check', 'pcff', '+++D'],
    ['clients count once between two checks', 'pcccccc', '+++++++'],
    ['and again after the next check', 'pcfc', '+++D'],
    ['clients never bring down a server that passes its checks', 'pcpcpcpcpc', '++++++++++'],
    ['a client can be the first failure', 'c', 'D'],
    ['clients do not hold back a server that rises', 'fpcp', 'D--U'],
  ])('%s: %s', (_title, word, said) => {
    expect(history(word)).toBe(said);
  });

  test('with rise 1 and fall 1 every result decides', () => {
    expect(history('pfpfcp', { rise: 1, fall: 1 })).toBe('+DUD-U');
  });

  test('a server that has begun to resolve needs one pass', () => {
    expect(history('p', LIMITS, returningStreak(LIMITS))).toBe('U');
    expect(history('fpp', LIMITS, returningStreak(LIMITS))).toBe('--U');
  });

  test('the counter stays between 0 and rise + fall - 1, and only crosses `rise` with a change', () => {
    const limits = fc.record({ rise: fc.integer({ min: 1, max: 10 }), fall: fc.integer({ min: 1, max: 10 }) });
    const events = fc.array(fc.constantFrom<StreakEvent>('passed', 'failed', 'passive'));
    fc.assert(
      fc.property(limits, events, (limit, happened) => {
        let streak = initialStreak(limit);
        for (const event of happened) {
          const step = stepStreak(streak, event, limit);
          expect(step.streak.health).toBeGreaterThanOrEqual(0);
          expect(step.streak.health).toBeLessThan(limit.rise + limit.fall);
          expect(step.changed).toBe(isUp(streak, limit) !== isUp(step.streak, limit));
          streak = step.streak;
        }
      }),
    );
  });
});

describe('interval', () => {
  test.each([
    [4, 2000, 'surely UP: inter'],
    [3, 500, 'UP, on its way down: fastinter'],
    [2, 500, 'UP, never checked: fastinter'],
    [1, 500, 'DOWN, on its way up: fastinter'],
    [0, 5000, 'surely DOWN: downinter'],
  ])('health %i: %i ms (%s)', (health, intervalMs) => {
    expect(nextIntervalMs({ health, passiveCounted: false }, CHECK)).toBe(intervalMs);
  });

  test('jitter is a tenth either way', () => {
    expect([0, 0.5, 1].map(draw => jitteredMs(2000, draw))).toEqual([1800, 2000, 2200]);
  });
});

describe('other limits', () => {
  test.each([
    // Sure of UP, sure of DOWN, and in between.
    [4, { rise: 2, fall: 3 }, { rise: 3, fall: 5 }, 7],
    [0, { rise: 2, fall: 3 }, { rise: 3, fall: 5 }, 0],
    [2, { rise: 2, fall: 3 }, { rise: 3, fall: 5 }, 3],
    [3, { rise: 2, fall: 3 }, { rise: 3, fall: 5 }, 4],
    [1, { rise: 2, fall: 3 }, { rise: 1, fall: 1 }, 0],
    [3, { rise: 2, fall: 3 }, { rise: 1, fall: 1 }, 1],
  ])('%i under %o is under %o: %i', (health, before, after, expected) => {
    const carried = carriedStreak({ health, passiveCounted: true }, before, after);
    expect(carried).toEqual({ health: expected, passiveCounted: true });
    expect(isUp(carried, after)).toBe(isUp({ health, passiveCounted: true }, before));
  });
});
