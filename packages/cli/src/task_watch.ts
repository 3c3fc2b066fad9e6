import { setTimeout as delay } from 'node:timers/promises';
import { LimpetError } from '@limpet/proxy';
import type { AdminClient } from './admin/admin_client.ts';
import type { Task } from './admin/facts.ts';
import { StopSignals } from './signals.ts';
import { progressBar, progressText, taskTarget } from './task_progress.ts';

const LOOK_MS = 500;
/** Where there is no terminal, a line so often. */
const LINE_MS = 5_000;
/** The proxy may be away for so long: another program may take its socket over just now. */
const AWAY_MS = 10_000;

export interface Watch {
  /** It stops when so many are left; only the bar needs to know. */
  readonly until: number;
  /** Null: nothing is shown. */
  readonly out: NodeJS.WriteStream | null;
}

/**
 * Shows how a task goes on until it ends, and answers how it ended; null: the user went away, and the task goes on.
 * @throws LimpetError
 */
export async function watchTask(proxy: AdminClient, first: Task, { until, out }: Watch): Promise<Task | null> {
  using signals = new StopSignals(() => {});
  const left = new AbortController();
  void signals.first.then(() => left.abort());
  const show = out === null ? null : shower(out, until);
  try {
    for (let task = first; ; task = await patiently(() => find(proxy, first.id), left.signal)) {
      show?.draw(task);
      if (task.state === 'done' || task.state === 'cancelled') return task;
      if (!(await waited(LOOK_MS, left.signal))) return null;
    }
  } catch (error) {
    if (left.signal.aborted) return null;
    throw error;
  } finally {
    show?.end();
  }
}

/** A bar on a terminal, else a line from time to time. */
function shower(out: NodeJS.WriteStream, until: number): { draw(task: Task): void; end(): void } {
  if (!out.isTTY) return linesTo(out, until);
  return {
    draw: task => out.write(`\r${progressBar(task, until, out.columns)}\x1b[K`),
    end: () => out.write('\n'),
  };
}

function linesTo(out: NodeJS.WriteStream, until: number): { draw(task: Task): void; end(): void } {
  let said = '';
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return {
    draw: task => {
      const line = `${taskTarget(task)}: ${progressText(task, until)}`;
      const isEnd = task.state !== 'running';
      if (line === said || (!isEnd && performance.now() - saidAtMs < LINE_MS)) return;
      said = line;
      saidAtMs = performance.now();
      out.write(`${line}\n`);
    },
    end: () => {},
  };
}

async function find(proxy: AdminClient, id: number): Promise<Task> {
  const { tasks } = await proxy.get<{ readonly tasks: readonly Task[] }>('/tasks');
  const task = tasks.find(one => one.id === id);
  if (task !== undefined) return task;
  const what = `the proxy knows no task ${id} any more`;
  throw new LimpetError('UNKNOWN_TASK', what, 'It may have been started anew: limpet status shows where it stands.');
}

const AWAY: ReadonlySet<string> = new Set(['NO_PROXY', 'OLD_SOCKET', 'CUT_OFF']);

/** Asks again where the proxy is away for a moment. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const endMs = performance.now() + AWAY_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isAway = error instanceof LimpetError && AWAY.has(error.code);
      if (!isAway || performance.now() > endMs || !(await waited(LOOK_MS, signal))) throw error;
    }
  }
}

/** False: it was cut short. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
