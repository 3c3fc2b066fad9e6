/**
 * A drain or a rebalance, looked at while it runs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { askRuntimeApi } from './runtime_api.ts';

/** A task as `/api/v1/tasks` tells it. */
export interface ToldTask {
  readonly id: number;
  readonly kind: 'drain' | 'rebalance';
  readonly server: string | null;
  readonly state: 'running' | 'paused' | 'done' | 'cancelled';
  readonly total: number;
  readonly moved: number;
  readonly left: number;
  readonly started_at_ms: number;
  readonly ended_at_ms: number | null;
}

/** So many had been asked to leave at some moment between these two. */
interface Look {
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly moved: number;
}

const EVERY_MS = 50;

/** All tasks of the proxy whose runtime API is at that path, the newest one last. */
export async function tasksOf(socket: string): Promise<readonly ToldTask[]> {
  return (await askRuntimeApi<{ readonly tasks: readonly ToldTask[] }>(socket, 'GET /tasks')).tasks;
}

/** Looks at the newest task until it has ended. `seen` is told each time, and waited for. */
export async function watchTask(
  socket: string,
  seen: (task: ToldTask) => void | Promise<void> = () => {},
): Promise<{ readonly task: ToldTask; readonly looks: readonly Look[] }> {
  const looks: Look[] = [];
  for (;;) {
    const askedMs = performance.now();
    const task = (await tasksOf(socket)).at(-1);
    if (task === undefined) throw new Error('there is no task');
    looks.push({ askedMs, answeredMs: performance.now(), moved: task.moved });
    if (task.ended_at_ms !== null) return { task, looks };
    await seen(task);
    await delay(EVERY_MS);
  }
}

/**
 * The most and the least that were asked for certain in any second, as a rate: however long an answer was on its way, it
 * was not less, and not more.
 */
export function ratesOf(looks: readonly Look[]): { readonly most: number; readonly least: number } {
  const last = looks.findIndex(({ moved }) => moved === looks.at(-1)?.moved);
  const rates = looks.slice(0, last + 1).flatMap((from, i) => {
    const to = looks.slice(i, last + 1).find(({ askedMs }) => askedMs - from.askedMs >= 1000);
    if (to === undefined) return [];
    const perSecond = (to.moved - from.moved) * 1000;
    return [{ most: perSecond / (to.answeredMs - from.askedMs), least: perSecond / (to.askedMs - from.answeredMs) }];
  });
  return { most: Math.max(...rates.map(({ most }) => most)), least: Math.min(...rates.map(({ least }) => least)) };
}
