import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTask, type TaskState } from '../../../../src/process/pair/proc_stat.ts';
import { isStopped, Judge } from '../../../../src/process/pair/verdict.ts';

const ASLEEP: TaskState = { state: 'S', isEnding: false, cpuTicks: 100 };

function task(changes: Partial<TaskState>): TaskState {
  return { ...ASLEEP, ...changes };
}

/** Looks every 5 ms from `fromMs` to `toMs`, and answers when there was a fault first, and which; null: never. */
function watch(
  judge: Judge,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  see: (atMs: number) => TaskState | null,
): readonly [atMs: number, fault: string] | null {
  for (let atMs = fromMs; atMs <= toMs; atMs += 5) {
    const fault = judge.judge({ atMs, primary: see(atMs), areAllWorkersStopped: false });
    if (fault !== null) return [atMs, fault];
  }
  return null;
}

describe('a line of /proc', () => {
  const read = (line: string): TaskState | null => readTask(Buffer.from(line), line.length);

  test('state, CPU and whether it ends', () => {
    const line = '4711 (limpet) S 1 4711 4711 0 -1 4194304 900 0 7 0 120 34 0 0 20 0 11 0 99 0 0';
    expect(read(line)).toEqual({ state: 'S', isEnding: false, cpuTicks: 154 });
    expect(read(line.replace('4194304', String(4194304 | 4)))).toMatchObject({ isEnding: true });
    expect(read(line.replace('4194304', String(4194304 | 0x200)))).toMatchObject({ isEnding: true });
  });

  test('a name may hold brackets, spaces and what looks like a state', () => {
    const line = '1 (a) R) (b c) T 1 1 1 0 -1 0 0 0 0 0 1 2 0 0';
    expect(read(line)).toEqual({ state: 'T', isEnding: false, cpuTicks: 3 });
  });

  test.each(['', '1', '1 (x', '1 (x)', '1 (x) S 1 1'])('%j is none', line => {
    expect(read(line)).toBeNull();
  });

  test('the kernel writes such lines', () => {
    const line = readFileSync(`/proc/${process.pid}/task/${process.pid}/stat`);
    expect(readTask(line, line.length)).toMatchObject({ isEnding: false, state: expect.stringMatching(/[RSD]/) });
  });
});

test.each([
  [null, true],
  [task({ state: 'T' }), true],
  [task({ state: 't' }), true],
  [task({ state: 'Z' }), true],
  [task({ state: 'X' }), true],
  [task({ isEnding: true, state: 'R' }), true],
  [task({ state: 'R' }), false],
  [task({ state: 'D' }), false],
  [task({ state: 'S' }), false],
  [task({ state: 'I' }), false],
])('is %j stopped? %s', (state, stopped) => {
  expect(isStopped(state)).toBe(stopped);
});

describe('the verdict', () => {
  test.each([
    [null, 'killed'],
    [task({ state: 'Z' }), 'killed'],
    [task({ isEnding: true, state: 'R' }), 'killed'],
    [task({ state: 'T' }), 'stopped'],
    [task({ state: 't' }), 'stopped'],
    [ASLEEP, null],
  ])('of %j is %s at once', (primary, fault) => {
    expect(new Judge(0).judge({ atMs: 5, primary, areAllWorkersStopped: false })).toBe(fault);
  });

  test('all workers stopped is a fault, also while the primary is well', () => {
    expect(new Judge(0).judge({ atMs: 5, primary: ASLEEP, areAllWorkersStopped: true })).toBe('workers_stopped');
  });

  test('asleep, silent and without CPU for 250 ms is a fault', () => {
    const judge = new Judge(0);
    judge.heard(1000);
    // The first look cannot know what it had used before.
    expect(watch(judge, { fromMs: 1005, toMs: 5000 }, () => ASLEEP)).toEqual([1255, 'silent']);
  });

  test('as long as it speaks it is none', () => {
    const judge = new Judge(0);
    const speaks = (atMs: number): TaskState => {
      if (atMs % 50 === 0) judge.heard(atMs);
      return ASLEEP;
    };
    expect(watch(judge, { fromMs: 5, toMs: 5000 }, speaks)).toBeNull();
  });

  test('a busy loop or a long collection of garbage is none: it runs, or has used a CPU', () => {
    expect(watch(new Judge(0), { fromMs: 5, toMs: 5000 }, () => task({ state: 'R' }))).toBeNull();
    const used = (atMs: number): TaskState => task({ cpuTicks: 100 + Math.floor(atMs / 200) });
    expect(watch(new Judge(0), { fromMs: 5, toMs: 5000 }, used)).toBeNull();
  });

  test('what froze behind a busy time counts from its end', () => {
    const judge = new Judge(0);
    const freezes = (atMs: number): TaskState => (atMs < 1000 ? task({ state: 'R' }) : ASLEEP);
    expect(watch(judge, { fromMs: 5, toMs: 5000 }, freezes)).toEqual([1245, 'silent']);
  });

  test('a watchdog that was not let run itself begins anew', () => {
    const judge = new Judge(0);
    expect(watch(judge, { fromMs: 5, toMs: 200 }, () => ASLEEP)).toBeNull();
    expect(watch(judge, { fromMs: 2000, toMs: 5000 }, () => ASLEEP)).toEqual([2250, 'silent']);
  });

  test('it ends when the primary speaks again', () => {
    const judge = new Judge(0);
    expect(watch(judge, { fromMs: 5, toMs: 1000 }, () => ASLEEP)).not.toBeNull();
    judge.heard(1005);
    expect(judge.judge({ atMs: 1005, primary: ASLEEP, areAllWorkersStopped: false })).toBeNull();
  });
});
