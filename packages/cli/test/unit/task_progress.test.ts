import { describe, expect, it } from 'vitest';
import type { Task } from '../../src/admin/facts.ts';
import { reloadLines } from '../../src/commands/reload.ts';
import { RefusalSpotter } from '../../src/commands/runtime.ts';
import { importLines } from '../../src/commands/table_import.ts';
import { endText, progressBar, progressText, taskDone } from '../../src/task_progress.ts';

const TASK: Task = {
  ...{ id: 7, kind: 'drain', backend: 'emqx', server: 'emqx2', state: 'running', rate: 200 },
  ...{ total: 3_000, moved: 1_000, left: 2_000, started_at_ms: 1_000, ended_at_ms: null },
};

describe('how far a task is', () => {
  it.each([
    [{}, 0, 1 / 3],
    [{}, 1_500, 2 / 3],
    [{ left: 3_500 }, 0, 0],
    [{ total: 0, left: 0 }, 0, 1],
    [{ left: 10 }, 100, 1],
    [{ state: 'done', left: 40 }, 0, 1],
  ] as const)('%j until %d', (changes, until, done) => {
    expect(taskDone({ ...TASK, ...changes }, until)).toBe(done);
  });

  it('is a line', () => {
    expect(progressText(TASK, 0)).toBe('2,000 of 3,000 left, 200/s, 10 s to go');
    expect(progressText({ ...TASK, rate: 0.5 }, 1_940)).toBe('2,000 of 3,000 left, 0.50/s, 2 min to go');
    expect(progressText({ ...TASK, state: 'paused' }, 0)).toBe('2,000 of 3,000 left, paused');
  });

  it.each([200, 100, 80, 60, 40, 20])('fits in %d columns', width => {
    expect(progressBar(TASK, 0, width).length).toBeLessThan(width);
  });

  it('is a bar where there is room', () => {
    expect(progressBar(TASK, 0, 90)).toMatch(
      /^emqx\/emqx2 \[#{10}-{21}\] {2}33% {2}2,000 of 3,000 left, 200\/s, 10 s to go$/,
    );
    expect(progressBar(TASK, 0, 40)).toMatch(/^emqx\/emqx2 33% {2}2,000 of 3,000 left.*…$/);
  });

  it('is told at the end', () => {
    const ended = { ...TASK, state: 'done', moved: 3_000, left: 0, ended_at_ms: 16_000 } as const;
    expect(endText(ended)).toBe('drain of emqx/emqx2 is done in 15 s: 3,000 asked to leave, 0 left');
    expect(endText({ ...TASK, kind: 'rebalance', server: null, state: 'cancelled' })).toBe(
      'rebalance of emqx was taken back: 1,000 had been asked to leave, 2,000 are left',
    );
  });
});

describe('what a reload did', () => {
  const report = { ok: true, changes: [], needs_restart: [], warnings: [], problems: [] };
  it.each([
    [{}, ['nothing has changed']],
    [{ changes: ['a'], needs_restart: ['b'] }, ['a', 'not in place: b']],
    [{ needs_restart: ['b'] }, ['not in place: b']],
    [{ ok: false }, []],
  ])('%j', (changes, lines) => {
    expect(reloadLines({ ...report, ...changes })).toEqual(lines);
  });
});

describe('what an import did', () => {
  it.each([
    [{ read: 1, written: 1, kept: 0 }, '1 entry read, 1 written'],
    [
      { read: 5, written: 2, kept: 2 },
      '5 entries read, 2 written, 2 left as they are: their clients are connected, 1 wrong',
    ],
  ])('%j', (numbers, line) => {
    expect(importLines({ ...numbers, errors: [] })).toEqual([line]);
  });
});

describe('a refusal of the runtime API', () => {
  it.each([
    ['Unknown command. Please\n\n', true],
    ['0.1.0\n\nPermission denied\n\n', true],
    ['key=Permission denied\nUnknown command\n\n', false],
    ['', false],
  ])('%j', async (text, expected) => {
    for (const size of [1, 3, 1000]) {
      const spotter = new RefusalSpotter();
      for await (const _ of spotter.watch(cut(text, size)));
      expect(spotter.wasRefused).toBe(expected);
    }
  });
});

async function* cut(text: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}
