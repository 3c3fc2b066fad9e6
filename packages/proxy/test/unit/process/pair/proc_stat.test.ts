import { expect, test } from 'vitest';
import { hasLetGo } from '../../../../src/process/pair/proc_stat.ts';

function line(state: string, threads: number): string {
  return `4711 (limpet: worker (1)) ${state} 1 4711 4711 0 -1 4194308 900 0 7 0 120 34 0 0 20 0 ${threads} 0 99 0 0`;
}

test.each([
  ['S', 11, false],
  ['R', 1, false],
  // Its main thread is dead, and others still close what they have in common.
  ['Z', 4, false],
  ['Z', 1, true],
  ['Z', 0, true],
  ['X', 1, true],
] as const)('a process in state %s with %i threads: it has closed everything: %s', (state, threads, isOver) => {
  expect(hasLetGo(line(state, threads))).toBe(isOver);
});
