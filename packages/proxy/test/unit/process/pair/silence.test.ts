import { expect, test } from 'vitest';
import { Silence } from '../../../../src/process/pair/silence.ts';

const BEAT_MS = 50;

/** After how many beats it is too long; null: not within so many. */
function beatsUntil(silence: Silence, most: number): number | null {
  for (let beat = 1; beat <= most; beat += 1) if (silence.isTooLong(BEAT_MS)) return beat;
  return null;
}

test('3 s of beats without an answer are too long, and that is said once', () => {
  const silence = new Silence();
  silence.broken();
  expect(silence.complaint).toBeNull();
  expect(beatsUntil(silence, 100)).toBe(60);
  expect(silence.complaint).toBe('no answer for 3 s');
  expect(beatsUntil(silence, 1000)).toBeNull();
});

test('an answer a second is enough', () => {
  const silence = new Silence();
  for (let second = 0; second < 60; second += 1) {
    silence.broken();
    expect(beatsUntil(silence, 20)).toBeNull();
  }
  expect(silence.complaint).toBeNull();
});

test('a start may take longer', () => {
  const silence = new Silence();
  expect(beatsUntil(silence, 1000)).toBe(300);
  expect(silence.complaint).toBe('no answer for 15 s');
});
