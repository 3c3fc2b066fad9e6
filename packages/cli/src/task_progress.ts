import type { Task } from './admin/facts.ts';
import { clipped } from './output/columns.ts';
import { count, duration } from './output/numbers.ts';
import { rateText } from './status_text.ts';

/** `emqx/emqx1`, or the backend of a rebalance. */
export function taskTarget(task: Pick<Task, 'backend' | 'server'>): string {
  return task.server === null ? task.backend : `${task.backend}/${task.server}`;
}

/** How much of a task is done, 0 to 1; `until`: it stops when so many are left. */
export function taskDone({ total, left, state }: Pick<Task, 'total' | 'left' | 'state'>, until: number): number {
  if (state === 'done' || total <= until) return 1;
  return Math.min(1, Math.max(0, (total - left) / (total - until)));
}

/** The words behind the bar, and the whole line where there is no terminal. */
export function progressText(task: Task, until: number): string {
  const { left, total, state, rate } = task;
  const there = `${count(left)} of ${count(total)} left`;
  if (state !== 'running') return `${there}, ${state}`;
  const toGo = Math.max(0, left - until) / rate;
  return `${there}, ${rateText(rate)}, ${duration(toGo * 1_000)} to go`;
}

const SHORTEST_BAR = 10;
const LONGEST_BAR = 40;

/** One line for a terminal that is `width` columns wide. */
export function progressBar(task: Task, until: number, width: number): string {
  const done = taskDone(task, until);
  const head = `${taskTarget(task)} `;
  const tail = ` ${String(Math.floor(done * 100)).padStart(3)}%  ${progressText(task, until)}`;
  const room = Math.min(LONGEST_BAR, width - head.length - tail.length - 3);
  if (room < SHORTEST_BAR) return clipped(`${head}${tail.trimStart()}`, width - 1);
  const full = Math.floor(done * room);
  return `${head}[${'#'.repeat(full)}${'-'.repeat(room - full)}]${tail}`;
}

/** What became of it, for the last line. */
export function endText(task: Task): string {
  const what = `${task.kind} of ${taskTarget(task)}`;
  const took = task.ended_at_ms === null ? '' : ` in ${duration(task.ended_at_ms - task.started_at_ms)}`;
  if (task.state === 'done')
    return `${what} is done${took}: ${count(task.moved)} asked to leave, ${count(task.left)} left`;
  return `${what} was taken back: ${count(task.moved)} had been asked to leave, ${count(task.left)} are left`;
}
